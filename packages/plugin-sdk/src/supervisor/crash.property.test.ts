import { setImmediate as nextTurn } from "node:timers/promises";
import fc from "fast-check";
import type { Container } from "kubernetes-types/core/v1.js";
import { expect, test } from "vitest";
import { eventually } from "../testing/eventually.ts";
import { podData } from "../testing/pod-data.ts";
import { SupervisorLives } from "../testing/supervisor-lives.ts";
import { temporaryDirectory } from "../testing/temporary-directory.ts";

const FAULTS = [
  "ensureSandbox",
  "ensureImage",
  "createContainer",
  "startContainer",
  "stopContainer",
  "removeContainer",
  "removeSandbox",
  "list",
] as const;

const names = ["one", "two", "set-up", "helper"] as const;

const operation = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.nat(15_000) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("exit" as const),
      name: fc.constantFrom(...names),
      code: fc.constantFrom(0, 1, 137),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("crash" as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("fault" as const), step: fc.constantFrom(...FAULTS) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("vanish" as const), name: fc.constantFrom(...names) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("delete" as const), grace: fc.nat(40) }),
  },
);

const scenario = fc.record({
  policy: fc.constantFrom("Always", "OnFailure", "Never"),
  hasSetUp: fc.boolean(),
  hasHelper: fc.boolean(),
  stubborn: fc.boolean(),
  /** Turns of the event loop between operations: crashes come in the middle of things. */
  turns: fc.nat(12),
  operations: fc.array(operation, { maxLength: 25 }),
});

const container = (name: string): Container => ({ name, image: "app" });

test("whatever happens, no attempt runs twice, counts never go back, and a deleted pod goes", async () => {
  await using directory = await temporaryDirectory();
  let serial = 0;
  await fc.assert(
    fc.asyncProperty(scenario, async (given) => {
      const data = podData(`pod-${serial++}`, {
        restartPolicy: given.policy,
        initContainers: [
          ...(given.hasHelper
            ? [{ ...container("helper"), restartPolicy: "Always" as const }]
            : []),
          ...(given.hasSetUp ? [container("set-up")] : []),
        ],
        containers: [container("one"), container("two")],
      });
      const lives = await SupervisorLives.begin(directory.path, data);
      const { runtime, clock } = lives;
      if (given.stubborn) runtime.behaviours.set("one", { ignoresStop: true });
      const deletes: Promise<void>[] = [];
      for (const step of given.operations) {
        if (step.do === "wait") clock.advance(step.ms);
        else if (step.do === "exit") runtime.exit(step.name, step.code);
        else if (step.do === "crash") lives.crash();
        else if (step.do === "fault") runtime.failNext(step.step, new Error("injected"));
        else if (step.do === "vanish") runtime.vanish(step.name);
        else void lives.requestDelete(step.grace);
        for (let turn = 0; turn < given.turns; turn++) await nextTurn();
        clock.advance(20);
        const running = [...runtime.containers.values()].filter(({ state }) => state === "running");
        const runningNames = running.map(({ containerName }) => containerName);
        expect(new Set(runningNames).size).toBe(runningNames.length);
      }
      lives.crash();
      if (!lives.isGone) deletes.push(lives.requestDelete(5));
      await Promise.all(deletes);
      await eventually("the pod is gone", () => {
        clock.advance(1_000);
        return lives.isGone;
      });
      await lives.end();

      expect(new Set(runtime.starts).size).toBe(runtime.starts.length);
      expect(runtime.containers.size).toBe(0);
      const counts = new Map<string, number>();
      for (const status of lives.statuses) {
        for (const { name, restartCount } of [...status.containers, ...status.initContainers]) {
          expect(restartCount).toBeGreaterThanOrEqual(counts.get(name) ?? 0);
          counts.set(name, restartCount);
        }
      }
    }),
    { numRuns: 60, endOnFailure: true },
  );
}, 120_000);

test("whatever happens, a pod that runs once comes to its end", async () => {
  await using directory = await temporaryDirectory();
  let serial = 0;
  const harmless = fc.array(
    fc.oneof(
      fc.record({ do: fc.constant("wait" as const), ms: fc.nat(15_000) }),
      fc.record({ do: fc.constant("crash" as const) }),
      fc.record({ do: fc.constant("fault" as const), step: fc.constantFrom(...FAULTS) }),
    ),
    { maxLength: 15 },
  );
  await fc.assert(
    fc.asyncProperty(harmless, fc.nat(12), async (operations, turns) => {
      const data = podData(`pod-${serial++}`, {
        restartPolicy: "Never",
        initContainers: [container("set-up")],
        containers: [container("one"), container("two")],
      });
      const lives = await SupervisorLives.begin(directory.path, data);
      for (const name of ["set-up", "one"]) lives.runtime.behaviours.set(name, { exitCode: 0 });
      lives.runtime.behaviours.set("two", { exitCode: 4 });
      for (const step of operations) {
        if (step.do === "wait") lives.clock.advance(step.ms);
        else if (step.do === "crash") lives.crash();
        else lives.runtime.failNext(step.step, new Error("injected"));
        for (let turn = 0; turn < turns; turn++) await nextTurn();
      }
      await eventually("it has ended", () => {
        lives.clock.advance(1_000);
        const ends = lives.statuses.at(-1)?.containers.map(({ state }) => state?.terminated);
        return ends?.every((end) => end !== undefined);
      });
      const ends = lives.statuses
        .at(-1)
        ?.containers.map(({ state }) => state?.terminated?.exitCode);
      expect(ends).toEqual([0, 4]);
      expect([...lives.runtime.starts].sort()).toEqual(
        ["set-up/0", "one/0", "two/0"].map((name) => `${lives.uid}/${name}`).sort(),
      );
      await lives.end();
    }),
    { numRuns: 60, endOnFailure: true },
  );
}, 120_000);
