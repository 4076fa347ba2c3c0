import fc from "fast-check";
import type { Container, Pod } from "kubernetes-types/core/v1.js";
import { expect, test } from "vitest";
import { planPod, restartsAfter } from "../supervisor/planned-pod.ts";
import { BatchJob, bareRuntime, batchPod, shell } from "../testing/batch-job.ts";
import type { BatchRuntime } from "./contract.ts";

/** How a container ends, attempt for attempt; the last time well. */
const codes = fc.array(fc.constantFrom(0, 1, 3, 42), { maxLength: 2 }).map((ends) => [...ends, 0]);
/** None lets what has ended well run again, which would go on for ever. */
const rules = fc.constantFrom<object>(
  {},
  ...["Never", "OnFailure"].flatMap((restartPolicy) =>
    [
      { operator: "In", values: [1, 42] },
      { operator: "In", values: [3] },
      { operator: "NotIn", values: [0, 3] },
      { operator: "NotIn", values: [0] },
    ].map((exitCodes) => ({
      restartPolicy,
      restartPolicyRules: [{ action: "Restart", exitCodes }],
    })),
  ),
);
const container = fc.record({ codes, rules });
const arbitraryPod = fc.record({
  restartPolicy: fc.constantFrom("Never", "OnFailure"),
  inits: fc.array(fc.record({ codes, isSidecar: fc.boolean() }), { maxLength: 3 }),
  regular: fc.array(container, { minLength: 1, maxLength: 3 }),
});

const ending = (name: string, ends: readonly number[], rest: object = {}): Container => ({
  ...shell(name, `n=$1; set -- ${ends.join(" ")}; shift "$n"; exit "\${1:-0}"`),
  ...rest,
});
const sidecar = (name: string): Container =>
  shell(name, "trap 'exit 0' TERM; while :; do sleep 0.02; done", { restartPolicy: "Always" });

/** Tells the container which attempt it is. */
const counting: BatchRuntime = {
  ...bareRuntime,
  run: ({ command = [] }) => [
    ...command.map((word) => [word]),
    ["sh"],
    [{ attemptValue: "number" }],
  ],
};

type Ends = Map<string, readonly number[]>;

/** Restarts and last exit code of each container that starts, by the supervisor's own rule. */
function expected(pod: Pod, ends: Ends): Map<string, { restarts: number; code: number }> {
  const plan = planPod(pod);
  const outcome = new Map<string, { restarts: number; code: number }>();
  const run = (planned: (typeof plan.all)[number]): number => {
    const own = ends.get(planned.name) ?? [];
    for (let attempt = 0; ; attempt++) {
      const code = own[attempt] ?? 0;
      if (restartsAfter(planned, plan.restartPolicy, code)) continue;
      outcome.set(planned.name, { restarts: attempt, code });
      return code;
    }
  };
  for (const planned of plan.init) {
    if (planned.kind === "sidecar") outcome.set(planned.name, { restarts: 0, code: 0 });
    else if (run(planned) !== 0) return outcome;
  }
  for (const planned of plan.regular) run(planned);
  return outcome;
}

test("containers run, restart and end as the supervisor would have them", async () => {
  await fc.assert(
    fc.asyncProperty(arbitraryPod, async ({ restartPolicy, inits, regular }) => {
      const ends: Ends = new Map([
        ...inits.map((init, index) => [`i${index}`, init.codes] as const),
        ...regular.map((one, index) => [`c${index}`, one.codes] as const),
      ]);
      const endsOf = (name: string) => ends.get(name) ?? [];
      const pod = batchPod(
        {
          restartPolicy,
          initContainers: inits.map(({ isSidecar }, index) =>
            isSidecar ? sidecar(`i${index}`) : ending(`i${index}`, endsOf(`i${index}`)),
          ),
          containers: regular.map((one, index) =>
            ending(`c${index}`, endsOf(`c${index}`), one.rules),
          ),
        },
        { runtime: counting, backOffMs: 1 },
      );
      await using job = await BatchJob.start(pod);
      const code = await job.end();
      const wanted = expected(pod.pod ?? {}, ends);
      const { containers, initContainers } = await job.records();
      const isSidecar = (name: string) =>
        name.startsWith("i") && inits[Number(name.slice(1))]?.isSidecar;
      const seen = [...initContainers, ...containers].flatMap(({ name, restartCount, state }) =>
        state?.terminated === undefined
          ? []
          : [
              [
                name,
                {
                  restarts: restartCount,
                  // One that is stopped before its shell has set the trap ends by the signal.
                  code: isSidecar(name) ? 0 : state.terminated.exitCode,
                },
              ] as const,
            ],
      );
      expect(new Map(seen)).toEqual(wanted);
      expect(code).toBe(Math.max(...Array.from(wanted.values(), (one) => one.code)));
    }),
    { numRuns: 40, endOnFailure: true },
  );
}, 60_000);
