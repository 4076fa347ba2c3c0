import type { PodSecurityContext, SecurityContext } from "kubernetes-types/core/v1.js";
import { describe, expect, it } from "vitest";
import { testPod } from "../testing/pods.ts";
import { engineSecurity, localSeccompProfile, neededProfiles, needsImageUser } from "./security.ts";

const NOTHING = {
  GroupAdd: [],
  Privileged: false,
  ReadonlyRootfs: false,
  CapAdd: [],
  CapDrop: [],
  SecurityOpt: [],
};

const WHERE = '(pod: "pod_ns(0f1e2d3c-0000-4000-8000-000000000001)", container: main)';

describe("engineSecurity", () => {
  it.each<[string, PodSecurityContext, SecurityContext, string, object]>([
    ["nothing", {}, {}, "", {}],
    ["the pod's user", { runAsUser: 5 }, {}, "", { User: "5" }],
    ["the container's user over the pod's", { runAsUser: 5 }, { runAsUser: 6 }, "", { User: "6" }],
    ["user and group", { runAsUser: 5, runAsGroup: 7 }, {}, "", { User: "5:7" }],
    ["a group for the image's user", { runAsGroup: 7 }, {}, "app:app", { User: "app:7" }],
    ["a group for an image that runs as root", { runAsGroup: 7 }, {}, "", { User: "0:7" }],
    [
      "further groups, once each",
      { fsGroup: 9, supplementalGroups: [8, 9] },
      {},
      "",
      { GroupAdd: ["8", "9"] },
    ],
    ["privileged", {}, { privileged: true }, "", { Privileged: true }],
    ["a read-only root", {}, { readOnlyRootFilesystem: true }, "", { ReadonlyRootfs: true }],
    [
      "capabilities",
      {},
      { capabilities: { add: ["NET_ADMIN"], drop: ["ALL"] } },
      "",
      { CapAdd: ["NET_ADMIN"], CapDrop: ["ALL"] },
    ],
    [
      "no escalation",
      {},
      { allowPrivilegeEscalation: false },
      "",
      { SecurityOpt: ["no-new-privileges:true"] },
    ],
    [
      "capabilities with their long names",
      {},
      { capabilities: { add: ["CAP_SYS_TIME"], drop: ["cap_chown"] } },
      "",
      { CapAdd: ["SYS_TIME"], CapDrop: ["CHOWN"] },
    ],
    ["all of /proc", {}, { procMount: "Unmasked" }, "", { MaskedPaths: [], ReadonlyPaths: [] }],
    ["the engine's AppArmor profile", { appArmorProfile: { type: "RuntimeDefault" } }, {}, "", {}],
    [
      "no AppArmor profile",
      { appArmorProfile: { type: "Unconfined" } },
      {},
      "",
      { SecurityOpt: ["apparmor=unconfined"] },
    ],
    [
      "a loaded AppArmor profile",
      { appArmorProfile: { type: "Localhost", localhostProfile: "mine" } },
      {},
      "",
      { SecurityOpt: ["apparmor=mine"] },
    ],
    ["escalation", {}, { allowPrivilegeEscalation: true }, "", {}],
    ["the engine's seccomp profile", { seccompProfile: { type: "RuntimeDefault" } }, {}, "", {}],
    [
      "no seccomp profile",
      { seccompProfile: { type: "Unconfined" } },
      {},
      "",
      { SecurityOpt: ["seccomp=unconfined"] },
    ],
    [
      "an SELinux level",
      {},
      { seLinuxOptions: { level: "s0:c1,c2" } },
      "",
      { SecurityOpt: ["label=level:s0:c1,c2"] },
    ],
    ["not root, said by a number", { runAsNonRoot: true }, { runAsUser: 5 }, "", { User: "5" }],
    ["not root, said by the image", { runAsNonRoot: true }, {}, "5:5", {}],
  ])("turns %s into fields of the engine", (_, pod, container, imageUser, expected) => {
    expect(engineSecurity(testPod({ securityContext: pod }), "main", container, imageUser)).toEqual(
      {
        ...NOTHING,
        ...expected,
      },
    );
  });

  it.each<[PodSecurityContext, string, string]>([
    [{ runAsNonRoot: true }, "", `container has runAsNonRoot and image will run as root ${WHERE}`],
    [
      { runAsNonRoot: true },
      "root",
      `container has runAsNonRoot and image will run as root ${WHERE}`,
    ],
    [
      { runAsNonRoot: true },
      "0:0",
      `container has runAsNonRoot and image will run as root ${WHERE}`,
    ],
    [
      { runAsNonRoot: true },
      "app",
      `container has runAsNonRoot and image has non-numeric user (app), cannot verify user is non-root ${WHERE}`,
    ],
    [
      { runAsNonRoot: true, runAsUser: 0 },
      "5",
      `container's runAsUser breaks non-root policy ${WHERE}`,
    ],
  ])("refuses %j with image user %j in the kubelet's words", (pod, imageUser, message) => {
    expect(() => engineSecurity(testPod({ securityContext: pod }), "main", {}, imageUser)).toThrow(
      expect.objectContaining({ code: "InvalidConfig", message }) as Error,
    );
  });

  it("hands over the seccomp profile that the pod names, or the container instead", () => {
    const named = (localhostProfile: string) => ({
      seccompProfile: { type: "Localhost", localhostProfile },
    });
    const pod = testPod({ securityContext: named("x.json") });
    expect(localSeccompProfile(pod)).toBe("x.json");
    expect(localSeccompProfile(pod, named("y.json"))).toBe("y.json");
    expect(localSeccompProfile(pod, { seccompProfile: { type: "RuntimeDefault" } })).toBe(
      undefined,
    );
    expect(engineSecurity(pod, "main", {}, "", "{}").SecurityOpt).toEqual(["seccomp={}"]);
  });
});

it.each<[PodSecurityContext, SecurityContext, boolean]>([
  [{}, {}, false],
  [{ runAsNonRoot: true }, {}, true],
  [{ runAsNonRoot: true }, { runAsUser: 1 }, false],
  [{ runAsGroup: 1 }, {}, true],
  [{ runAsUser: 1, runAsGroup: 1 }, {}, false],
])("asks for the image's user only when it matters: %j %j", (pod, container, expected) => {
  expect(needsImageUser(testPod({ securityContext: pod }), container)).toBe(expected);
});

it.each<[SecurityContext, string[]]>([
  [{}, []],
  [{ appArmorProfile: { type: "Unconfined" }, seccompProfile: { type: "Unconfined" } }, []],
  [{ appArmorProfile: { type: "Localhost", localhostProfile: "p" } }, ["AppArmor"]],
  [{ seccompProfile: { type: "RuntimeDefault" } }, ["seccomp"]],
])("tells which profiles of %j the machine has to enforce", (context, expected) => {
  expect(neededProfiles(testPod(), context)).toEqual(expected);
  const atBoth = testPod({ securityContext: { seccompProfile: { type: "Localhost" } } });
  expect(neededProfiles(atBoth, {})).toEqual(["seccomp"]);
});
