import type { Probe } from "kubernetes-types/core/v1.js";
import { describe, expect, test } from "vitest";
import type { ProbeKind } from "./probe-worker.ts";
import { afterLook, newWorker } from "./probe-worker.ts";

/** The result after each of these looks (`+` success, `-` failure, `?` could not look). */
function results(kind: ProbeKind, probe: Probe, looks: string): string[] {
  let worker = newWorker(kind, probe, 0);
  return looks.split("").map((look) => {
    worker = afterLook(worker, probe, look === "?" ? undefined : { ok: look === "+" }, 0, 0);
    return worker.held ? "held" : worker.result;
  });
}

describe("the result of a probe", () => {
  test.each<[string, ProbeKind, Probe, string, string[]]>([
    ["readiness comes with one success", "readiness", {}, "+", ["success"]],
    [
      "and goes with three failures",
      "readiness",
      {},
      "+---",
      ["success", "success", "success", "failure"],
    ],
    ["in a row", "readiness", {}, "+--+--", Array<string>(6).fill("success")],
    ["successThreshold counts", "readiness", { successThreshold: 2 }, "++", ["failure", "success"]],
    [
      "liveness is well until it is not",
      "liveness",
      { failureThreshold: 2 },
      "--",
      ["success", "held"],
    ],
    [
      "startup is unknown at first",
      "startup",
      { failureThreshold: 2 },
      "-+",
      ["unknown", "success"],
    ],
    [
      "a look that could not be made says nothing",
      "liveness",
      { failureThreshold: 2 },
      "-?-",
      ["success", "success", "held"],
    ],
  ])("%s", (_title, kind, probe, looks, expected) => {
    expect(results(kind, probe, looks)).toEqual(expected);
  });

  test("the first look comes after the initial delay, the others a period apart", () => {
    const probe = { initialDelaySeconds: 5, periodSeconds: 7 };
    const worker = newWorker("readiness", probe, 1_000);
    expect(worker.nextAt).toBe(6_000);
    expect(afterLook(worker, probe, { ok: true }, 6_100, 6_100).nextAt).toBe(13_100);
    expect(afterLook(worker, {}, { ok: true }, 0, 0).nextAt).toBe(10_000);
  });

  test("looks begin a period apart however long each takes, and never two at once", () => {
    const worker = newWorker("liveness", {}, 0);
    const probe = { periodSeconds: 10, timeoutSeconds: 5 };
    expect(afterLook(worker, probe, { ok: false }, 1_000, 6_000).nextAt).toBe(11_000);
    expect(afterLook(worker, probe, { ok: false }, 1_000, 13_000).nextAt).toBe(13_000);
  });
});
