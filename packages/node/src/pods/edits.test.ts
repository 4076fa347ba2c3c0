import type { PodSpec } from "kubernetes-types/core/v1.js";
import { describe, expect, test } from "vitest";
import { aPod, container } from "../testing/pods.ts";
import { type EditProblem, editProblems } from "./edits.ts";

const debug = { name: "debug", image: "busybox" };
const resize: EditProblem = {
  reason: "ResizeInfeasible",
  message: "In-place pod resize is not supported on this node",
  container: "main",
};

describe("an edit of a pod's spec", () => {
  test.each<[string, Partial<PodSpec>, Partial<PodSpec>, boolean, EditProblem[]]>([
    ["of nothing", {}, {}, false, []],
    ["that a node follows", {}, { activeDeadlineSeconds: 1, tolerations: [] }, false, []],
    [
      "that adds an ephemeral container",
      {},
      { ephemeralContainers: [debug] },
      true,
      [
        {
          reason: "Failed",
          message: "Error: ephemeral containers are not supported on a virtual node",
          container: "debug",
        },
      ],
    ],
    [
      "that adds no other one",
      { ephemeralContainers: [debug] },
      { ephemeralContainers: [debug] },
      true,
      [],
    ],
    [
      "that resizes a container",
      {},
      { containers: [container("main", { resources: { requests: { cpu: "2" } } })] },
      true,
      [resize],
    ],
    [
      "that says the same resources in other words",
      { containers: [container("main", { resources: {} })] },
      { containers: [container("main")] },
      true,
      [],
    ],
    [
      "that changes an image which the site cannot change",
      {},
      { containers: [container("main", { image: "other" })] },
      false,
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
      true,
      [],
    ],
  ])("%s", (_, before, after, updates, expected) => {
    expect(editProblems(aPod(before).spec, aPod(after), updates)).toEqual(expected);
  });
});
