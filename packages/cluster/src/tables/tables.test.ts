import type { Pod } from "kubernetes-types/core/v1.js";
import { describe, expect, it } from "vitest";
import { humanDuration } from "./duration.ts";
import { podSummary } from "./pod-status.ts";

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

describe("human duration", () => {
  it.each([
    [-5 * second, "<invalid>"],
    [0, "0s"],
    [119 * second, "119s"],
    [2 * minute, "2m"],
    [3 * minute + 20 * second, "3m20s"],
    [17 * minute + 5 * second, "17m"],
    [3 * hour, "3h"],
    [5 * hour + 12 * minute, "5h12m"],
    [40 * hour, "40h"],
    [3 * day + 4 * hour, "3d4h"],
    [99 * day, "99d"],
    [800 * day, "2y70d"],
    [9 * 365 * day, "9y"],
  ])("%i ms is %s", (milliseconds, text) => {
    expect(humanDuration(milliseconds)).toBe(text);
  });
});

describe("the summary of a pod", () => {
  const now = Date.parse("2026-01-02T03:05:05Z");
  const status = (name: string, state: object, more: object = {}): object => ({
    name,
    ready: false,
    restartCount: 0,
    state,
    ...more,
  });
  const pod = (statusOf: object, more: object = {}): Pod => {
    const made: unknown = {
      metadata: {},
      spec: {
        containers: [{ name: "a" }, { name: "b" }],
        initContainers: [{ name: "i" }, { name: "j" }],
      },
      status: statusOf,
      ...more,
    };
    return made as Pod;
  };

  it.each<[string, Pod, [string, string, string]]>([
    ["waiting for a node", pod({ phase: "Pending" }), ["0/2", "Pending", "0"]],
    [
      "in its second init container",
      pod({
        phase: "Pending",
        initContainerStatuses: [
          status("i", { terminated: { exitCode: 0 } }),
          status("j", { running: {} }),
        ],
      }),
      ["0/2", "Init:1/2", "0"],
    ],
    [
      "with a failed init container",
      pod({
        phase: "Pending",
        initContainerStatuses: [status("i", { terminated: { exitCode: 3 } })],
      }),
      ["0/2", "Init:ExitCode:3", "0"],
    ],
    [
      "half ready",
      pod({
        phase: "Running",
        containerStatuses: [
          status("a", { running: {} }, { ready: true }),
          status("b", { running: {} }),
        ],
      }),
      ["1/2", "Running", "0"],
    ],
    [
      "with an image that cannot be pulled",
      pod({
        phase: "Pending",
        containerStatuses: [status("a", { waiting: { reason: "ImagePullBackOff" } })],
      }),
      ["0/2", "ImagePullBackOff", "0"],
    ],
    [
      "that restarts",
      pod({
        phase: "Running",
        containerStatuses: [
          status(
            "a",
            { waiting: { reason: "CrashLoopBackOff" } },
            {
              restartCount: 3,
              lastState: { terminated: { exitCode: 1, finishedAt: "2026-01-02T03:04:05Z" } },
            },
          ),
        ],
      }),
      ["0/2", "CrashLoopBackOff", "3 (60s ago)"],
    ],
    [
      "that completed",
      pod({
        phase: "Succeeded",
        containerStatuses: [status("a", { terminated: { exitCode: 0, reason: "Completed" } })],
      }),
      ["0/2", "Completed", "0"],
    ],
    [
      "killed by a signal",
      pod({
        phase: "Failed",
        containerStatuses: [status("a", { terminated: { exitCode: 137, signal: 9 } })],
      }),
      ["0/2", "Signal:9", "0"],
    ],
    [
      "on its way out",
      pod({ phase: "Running" }, { metadata: { deletionTimestamp: "2026-01-02T03:04:05Z" } }),
      ["0/2", "Terminating", "0"],
    ],
    ["evicted", pod({ phase: "Failed", reason: "Evicted" }), ["0/2", "Evicted", "0"]],
  ])("%s", (_name, given, [ready, word, restarts]) => {
    expect(podSummary(given, now)).toEqual({ ready, status: word, restarts });
  });
});
