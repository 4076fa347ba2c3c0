// What to do next for one pod. The machine, by what is known of the job at the site (`JobState`):
//
//   new ──▶ none ──create──▶ there ───────────── the site tells its status until it ends
//            │  ▲              │ unknown to the site, twice
//            │  └─ask: unknown─┤                └──▶ over (verdict: lost)
//            └──create: answer lost──▶ maybe ──ask: known──▶ there
//            └──create: final no─────▶ refused
//
//   object terminating or absent, or deadline passed:
//     maybe, there ──delete-job, until accepted──▶ (deleting) ──confirm-gone──▶ over, or stopped
//     over, refused, none, stopped ──final status──▶ delete-object ──▶ absent ──forget──▶ gone
//
// Every arrow may be cut by a crash or an outage; the facts then lead to the same arrow again.

/** What is known of the pod's job at the site. */
export type JobState =
  /** Never asked for: nothing is there. */
  | "none"
  /** It may be there: a create whose answer was lost, or what an earlier life of this node did. */
  | "maybe"
  /** The site has it. */
  | "there"
  /** The site refused it for good. */
  | "refused"
  /** The site confirmed that it is gone, or the job is lost. */
  | "over";

export interface PodFacts {
  /** The pod object in Kubernetes. */
  object: "alive" | "terminating" | "absent";
  /** Its phase there is Succeeded or Failed. */
  terminal: boolean;
  job: JobState;
  /** The job must be stopped although nobody deleted the pod (deadline). */
  doomed: boolean;
  /** Grace period that a delete would have now, seconds. */
  grace: number;
  /** Grace period of the delete that the site accepted, seconds. */
  acceptedGrace: number | undefined;
  /** After the site accepted the delete it told that all containers have ended. */
  stopped: boolean;
  /** The site did not name the job when asked; it is asked again then. Same clock as `now`. */
  recheckAt: number | undefined;
  /** This kind of step is not tried before then, because it failed, or was done, a moment ago. */
  retry: { step: Step["do"]; at: number } | undefined;
  /** Milliseconds until the pod's deadline. */
  deadlineInMs: number | undefined;
}

export type Step =
  | { do: "create" }
  /** Find out whether the site has the job. */
  | { do: "ask" }
  | { do: "delete-job" }
  /** Find out whether the accepted delete is done. */
  | { do: "confirm-gone" }
  | { do: "delete-object" }
  /** Nothing is left of the pod anywhere. */
  | { do: "forget" }
  /** Wait for news, at most so long. */
  | { do: "rest"; inMs?: number };

export function nextStep(facts: PodFacts, now: number): Step {
  const step =
    facts.object !== "alive" || facts.doomed ? endingStep(facts) : livingStep(facts, now);
  const { retry } = facts;
  if (retry?.step !== step.do || retry.at <= now) return step;
  return rest(retry.at - now, facts.doomed ? undefined : facts.deadlineInMs);
}

function livingStep(facts: PodFacts, now: number): Step {
  // Refused or over: the status writer is about to make the pod terminal.
  if (facts.terminal || facts.job === "refused" || facts.job === "over") return { do: "rest" };
  if (facts.job === "none") return { do: "create" };
  const recheckInMs = facts.recheckAt === undefined ? undefined : facts.recheckAt - now;
  if (facts.job === "maybe" || (recheckInMs !== undefined && recheckInMs <= 0)) {
    return { do: "ask" };
  }
  return rest(recheckInMs, facts.deadlineInMs);
}

function endingStep(facts: PodFacts): Step {
  const mayRun = facts.job === "maybe" || facts.job === "there";
  if (mayRun && !facts.stopped) {
    const accepted = facts.acceptedGrace;
    if (accepted === undefined || facts.grace < accepted) return { do: "delete-job" };
    return { do: "confirm-gone" };
  }
  if (facts.object === "absent") return { do: "forget" };
  // The final status must be in the API before the object goes: controllers count it.
  if (facts.object === "alive" || !facts.terminal) return { do: "rest" };
  return { do: "delete-object" };
}

function rest(...waits: (number | undefined)[]): Step {
  const known = waits.filter((wait) => wait !== undefined);
  return known.length === 0
    ? { do: "rest" }
    : { do: "rest", inMs: Math.max(0, Math.min(...known)) };
}
