import type { RemotePodStatus } from "@interlink/protocol";
import type { ContainerState } from "kubernetes-types/core/v1.js";
import { describe, expect, it } from "vitest";
import { LastSeen, podState } from "./last-seen.ts";

function status(...states: ContainerState[]): RemotePodStatus {
  return {
    name: "p",
    UID: "u",
    namespace: "d",
    JID: "",
    containers: states.map((state, index) => ({
      name: `c${index}`,
      state,
      ready: false,
      restartCount: 0,
      image: "",
      imageID: "",
    })),
    initContainers: [],
  };
}
const running = { running: {} };
const exited = (exitCode: number) => ({ terminated: { exitCode } });

describe("podState", () => {
  it.each([
    ["waiting", status()],
    ["waiting", status({ waiting: {} }, exited(0))],
    ["running", status(running, exited(1))],
    ["succeeded", status(exited(0), exited(0))],
    ["failed", status(exited(0), exited(42))],
    ["failed", { ...status(running), extension: { failed: { reason: "r", message: "m" } } }],
  ])("is %s", (expected, given) => {
    expect(podState(given)).toBe(expected);
  });
});

describe("LastSeen", () => {
  it("tells changes once, counts by state, and forgets", () => {
    const changes: string[] = [];
    const seen = new LastSeen((_, from, to) => changes.push(`${from} → ${to}`));
    seen.saw(status());
    seen.saw(status(running));
    seen.saw(status(running));
    expect(seen.counts()).toEqual({ waiting: 0, running: 1, succeeded: 0, failed: 0 });
    seen.forget("u");
    expect(seen.counts().running).toBe(0);
    seen.saw({ ...status(exited(0)), extension: { deleting: true, gone: true } });
    expect(seen.counts().succeeded).toBe(0);
    expect(changes).toEqual(["undefined → waiting", "waiting → running"]);
  });
});
