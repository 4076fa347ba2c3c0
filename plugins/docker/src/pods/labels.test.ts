import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { testPod } from "../testing/pods.ts";
import {
  containerEngineName,
  containerLabels,
  identityOf,
  ownFilter,
  sandboxEngineName,
  sandboxLabels,
  volumeEngineName,
} from "./labels.ts";

describe("labels", () => {
  it("say all that adoption needs", () => {
    const spec = {
      pod: testPod(),
      kind: "init" as const,
      container: { name: "setup" },
      attempt: 3,
      imageID: "sha256:1",
    };
    expect(identityOf(containerLabels("p", spec))).toEqual({
      kind: "container",
      uid: testPod().metadata?.uid,
      containerName: "setup",
      attempt: 3,
      imageID: "sha256:1",
    });
    expect(identityOf(sandboxLabels("p", testPod()))).toEqual({
      kind: "sandbox",
      uid: testPod().metadata?.uid,
    });
  });

  it.each([
    {},
    { "interlink.pod.uid": "u" },
    { "interlink.pod.uid": "u", "interlink.container.name": "c" },
    {
      "interlink.pod.uid": "u",
      "interlink.container.name": "c",
      "interlink.container.attempt": "x",
    },
    {
      "interlink.pod.uid": "u",
      "interlink.container.name": "c",
      "interlink.container.attempt": "-1",
    },
  ])("of others are nobody's: %j", (labels) => {
    expect(identityOf(labels)).toBeUndefined();
  });

  it("find the containers of one plugin, or of one pod of it", () => {
    expect(ownFilter("p")).toEqual({ label: ["interlink.plugin=p"] });
    expect(ownFilter("p", "u")).toEqual({ label: ["interlink.plugin=p", "interlink.pod.uid=u"] });
  });
});

describe("names in the engine", () => {
  it("are readable", () => {
    const pod = testPod();
    const uid = pod.metadata?.uid;
    expect(containerEngineName(pod, "main", 0)).toBe(`interlink_main_pod_ns_${uid}_0`);
    expect(sandboxEngineName(pod)).toBe(`interlink_POD_pod_ns_${uid}`);
    expect(volumeEngineName("u", "scratch")).toBe("interlink_u_scratch");
  });

  it("are names that engines take, of bounded length, and differ whenever pod, container or attempt do", () => {
    const identity = fc.record({
      uid: fc.string({ minLength: 1, maxLength: 300, unit: "binary" }),
      container: fc.string({ minLength: 1, maxLength: 63 }),
      attempt: fc.nat(),
    });
    const nameOf = ({
      uid,
      container,
      attempt,
    }: {
      uid: string;
      container: string;
      attempt: number;
    }) =>
      containerEngineName(
        { metadata: { uid, name: "n".repeat(253), namespace: "ns" } },
        container,
        attempt,
      );
    fc.assert(
      fc.property(identity, identity, (a, b) => {
        expect(nameOf(a)).toMatch(/^[A-Za-z0-9][A-Za-z0-9_.-]{1,254}$/);
        if (JSON.stringify(a) !== JSON.stringify(b)) expect(nameOf(a)).not.toBe(nameOf(b));
        else expect(nameOf(a)).toBe(nameOf(b));
      }),
    );
  });

  it("differ for characters that had to be replaced", () => {
    expect(volumeEngineName("a/b", "v")).not.toBe(volumeEngineName("a-b", "v"));
    expect(volumeEngineName("a_b", "v")).not.toBe(volumeEngineName("a", "b_v"));
  });
});
