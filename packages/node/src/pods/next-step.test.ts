import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nextStep, type PodFacts, type Step } from "./next-step.ts";

const now = 1000;
const calm: PodFacts = {
  object: "alive",
  terminal: false,
  job: "none",
  doomed: false,
  grace: 30,
  acceptedGrace: undefined,
  stopped: false,
  recheckAt: undefined,
  retry: undefined,
  deadlineInMs: undefined,
};

describe("nextStep", () => {
  test.each<[string, Partial<PodFacts>, Step]>([
    ["a new pod is created", {}, { do: "create" }],
    ["a lost answer is asked about before anything else", { job: "maybe" }, { do: "ask" }],
    ["a job that is there needs nothing", { job: "there" }, { do: "rest" }],
    [
      "it needs nothing until its deadline",
      { job: "there", deadlineInMs: 70 },
      { do: "rest", inMs: 70 },
    ],
    [
      "a job in doubt rests until it is asked about",
      { job: "there", recheckAt: 1040 },
      { do: "rest", inMs: 40 },
    ],
    ["a job in doubt is asked about in time", { job: "there", recheckAt: 1000 }, { do: "ask" }],
    ["a refused pod waits for its status", { job: "refused" }, { do: "rest" }],
    ["an ended pod is left alone with its logs", { job: "there", terminal: true }, { do: "rest" }],
    [
      "a pod that ended before we came is left alone",
      { job: "maybe", terminal: true },
      { do: "rest" },
    ],
    ["a failed step waits", { retry: { step: "create", at: 1200 } }, { do: "rest", inMs: 200 }],
    [
      "another step does not wait for it",
      { job: "maybe", retry: { step: "create", at: 1200 } },
      { do: "ask" },
    ],

    [
      "a pod deleted before its create waits for its final status",
      { object: "terminating" },
      { do: "rest" },
    ],
    ["then its object goes", { object: "terminating", terminal: true }, { do: "delete-object" }],
    [
      "a job that is there is deleted",
      { object: "terminating", job: "there" },
      { do: "delete-job" },
    ],
    [
      "a job that may be there is deleted too",
      { object: "terminating", job: "maybe" },
      { do: "delete-job" },
    ],
    [
      "so is one that ended by itself",
      { object: "terminating", job: "there", terminal: true },
      { do: "delete-job" },
    ],
    [
      "an accepted delete is confirmed",
      { object: "terminating", job: "there", acceptedGrace: 30 },
      { do: "confirm-gone" },
    ],
    [
      "a shorter grace is sent again",
      { object: "terminating", job: "there", acceptedGrace: 30, grace: 5 },
      { do: "delete-job" },
    ],
    [
      "a longer one is not",
      { object: "terminating", job: "there", acceptedGrace: 5 },
      { do: "confirm-gone" },
    ],
    [
      "a stopped pod waits for its final status",
      { object: "terminating", job: "there", acceptedGrace: 30, stopped: true },
      { do: "rest" },
    ],
    [
      "and is not told to stop sooner, when the object's own delete makes its grace 0",
      { object: "absent", job: "there", acceptedGrace: 30, grace: 1, stopped: true },
      { do: "forget" },
    ],
    [
      "then its object goes as well",
      { object: "terminating", job: "over", terminal: true },
      { do: "delete-object" },
    ],

    ["a job without a pod is deleted", { object: "absent", job: "there" }, { do: "delete-job" }],
    [
      "and confirmed",
      { object: "absent", job: "there", acceptedGrace: 30 },
      { do: "confirm-gone" },
    ],
    ["then nothing is left", { object: "absent", job: "over" }, { do: "forget" }],
    ["a pod that never was at the site is forgotten", { object: "absent" }, { do: "forget" }],

    ["past its deadline a job is deleted", { doomed: true, job: "there" }, { do: "delete-job" }],
    ["and its object stays", { doomed: true, job: "over" }, { do: "rest" }],
  ])("%s", (_, over, step) => expect(nextStep({ ...calm, ...over }, now)).toEqual(step));

  const anyFacts = fc.record<PodFacts>({
    object: fc.constantFrom("alive", "terminating", "absent"),
    terminal: fc.boolean(),
    job: fc.constantFrom("none", "maybe", "there", "refused", "over"),
    doomed: fc.boolean(),
    grace: fc.integer({ min: 1, max: 60 }),
    acceptedGrace: fc.option(fc.integer({ min: 1, max: 60 }), { nil: undefined }),
    stopped: fc.boolean(),
    recheckAt: fc.option(fc.integer({ min: 0, max: 2000 }), { nil: undefined }),
    retry: fc.option(
      fc.record({
        step: fc.constantFrom<Step["do"]>("create", "ask", "delete-job", "confirm-gone"),
        at: fc.integer({ min: 0, max: 2000 }),
      }),
      { nil: undefined },
    ),
    deadlineInMs: fc.option(fc.integer({ min: 1, max: 2000 }), { nil: undefined }),
  });

  test("creates only what certainly is not there, and never for a pod that is to end", () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const step = nextStep(facts, now);
        if (step.do !== "create") return;
        expect(facts).toMatchObject({
          job: "none",
          object: "alive",
          terminal: false,
          doomed: false,
        });
      }),
    );
  });

  test("gives up the object or the record only when nothing can run and, for the object, the end is written", () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const step = nextStep(facts, now);
        if (step.do !== "delete-object" && step.do !== "forget") return;
        const mayRun = (facts.job === "there" || facts.job === "maybe") && !facts.stopped;
        expect(mayRun).toBe(false);
        if (step.do === "delete-object") expect(facts.terminal).toBe(true);
      }),
    );
  });
});
