import { expect, test } from "vitest";
import type { Action } from "../decision.ts";
import { deadlineMs } from "./perform.ts";

const NOW = Date.UTC(2026, 0, 1);
const MINUTE = 60_000;
const own = { container: "main", attempt: 0 };

test.each<[string, Action, number]>([
  ["a short step", { type: "startContainer", ...own }, 2 * MINUTE],
  ["a pull", { type: "ensureImage", ...own }, 60 * MINUTE],
  [
    "a stop beyond its grace",
    { type: "stop", ...own, graceSeconds: 600, deadline: 0 },
    12 * MINUTE,
  ],
  [
    "a preStop hook beyond the grace that was asked for, which may be longer than the pod's",
    { type: "runPreStop", ...own, deadline: NOW + 10 * MINUTE },
    12 * MINUTE,
  ],
  ["a preStop hook that is late", { type: "runPreStop", ...own, deadline: NOW - 1 }, 2 * MINUTE],
])("a hang ends for %s", (_what, action, expected) => {
  expect(deadlineMs(action, NOW)).toBe(expected);
});
