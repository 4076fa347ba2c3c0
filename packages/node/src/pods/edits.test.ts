import type { PodSpec } from "kubernetes-types/core/v1.js";
import { describe, expect, test } from "vitest";
import { aPod, container } from "../testing/pods.ts";
import { type EditProblem, editProblems, type SiteEdits } from "./edits.ts";

const ALL_EDITS: SiteEdits = { images: true, ephemeralContainers: true };
const NO_EDITS: SiteEdits = { images: false, ephemeralContainers: false };
const debug = { name: "debug", image: "busybox" };
const resize: EditProblem = {
  reason: "ResizeInfeasible",
  message: "In-place pod resize is not supported on this node",
  container: "main",
};

describe("an edit of a pod's spec", () => {
  test.each<[string, Partial<PodSpec>, Partial<PodSpec>, SiteEdits, EditProblem[]]>([
    ["of nothing", {}, {}, NO_EDITS, []],
    ["that a node follows", {}, { activeDeadlineSeconds: 1, tolerations: [] }, NO_EDITS, []],
    [
      "that adds an ephemeral container which the site runs",
      {},
      { ephemeralContainers: [debug] },
      ALL_EDITS,
      [],
    ],
    [
      "that adds an ephemeral container which the site does not run",
      {},
      { ephemeralContainers: [debug] },
      { images: true, ephemeralContainers: false },
      [
        {
          reason: "Failed",
          message: "Error: ephemeral containers are not supported by this site",
          container: "debug",
        },
      ],
    ],
    [
      "that adds no other one",
      { ephemeralContainers: [debug] },
      { ephemeralContainers: [debug] },
      NO_EDITS,
      [],
    ],
    [
      "that resizes a container",
      {},
      { containers: [container("main", { resources: { requests: { cpu: "2" } } })] },
      ALL_EDITS,
      [resize],
    ],
    [
      "that says the same resources in other words",
      { containers: [container("main", { resources: {} })] },
      { containers: [container("main")] },
      ALL_EDITS,
      [],
    ],
    [
      "that changes an image which the site cannot change",
      {},
      { containers: [container("main", { image: "other" })] },
      NO_EDITS,
      [
        {
          reason: "FailedSync",
          message:
            'Container main definition changed, but the site cannot restart it with the image "other"',
          container: "main",
        },
      ],
    ],
    [
      "that changes an image which the site can change",
      {},
      { containers: [container("main", { image: "other" })] },
      ALL_EDITS,
      [],
    ],
  ])("%s", (_, before, after, site, expected) => {
    expect(editProblems(aPod(before).spec, aPod(after), site)).toEqual(expected);
  });
});
