import type { Pod } from "kubernetes-types/core/v1.js";
import { describe, expect, test } from "vitest";
import { combinedExitCode, jobOutcome, podOutcome } from "./outcome.ts";

function pod(phase: string, exitCodes: number[] = [], initExitCodes: number[] = []): Pod {
  const statuses = (codes: number[]) =>
    codes.map((exitCode, index) => ({
      name: `c${index}`,
      image: "",
      imageID: "",
      ready: false,
      restartCount: 0,
      state: { terminated: { exitCode } },
    }));
  return {
    status: {
      phase,
      containerStatuses: statuses(exitCodes),
      initContainerStatuses: statuses(initExitCodes),
    },
  };
}

describe("the exit code that a shell sees", () => {
  test.each<[string, Pod, { exitCode: number } | undefined]>([
    ["a pending pod has not ended", pod("Pending"), undefined],
    ["a running pod has not ended", pod("Running", [0]), undefined],
    ["a succeeded pod is 0", pod("Succeeded", [0]), { exitCode: 0 }],
    ["a failed pod is its container's code", pod("Failed", [42]), { exitCode: 42 }],
    ["the first failed container counts", pod("Failed", [0, 3, 4]), { exitCode: 3 }],
    ["a failed init container counts before the others", pod("Failed", [5], [7]), { exitCode: 7 }],
    ["a pod refused before any container is 1", pod("Failed"), { exitCode: 1 }],
  ])("%s", (_sentence, given, expected) => {
    expect(podOutcome(given)).toEqual(expected);
  });

  test("a Job is 0 when complete, 1 when failed and open before that", () => {
    const job = (type: string) => ({ status: { conditions: [{ type, status: "True" }] } });
    expect(jobOutcome(job("Complete"))).toEqual({ exitCode: 0 });
    expect(jobOutcome(job("Failed"))).toEqual({ exitCode: 1 });
    expect(jobOutcome(job("Suspended"))).toBeUndefined();
    expect(jobOutcome({})).toBeUndefined();
  });

  test("several are the first that is not 0, once all have ended", () => {
    expect(combinedExitCode([{ exitCode: 0 }, { exitCode: 42 }, { exitCode: 3 }])).toBe(42);
    expect(combinedExitCode([{ exitCode: 42 }, undefined])).toBeUndefined();
    expect(combinedExitCode([])).toBe(0);
  });
});
