/** What Slurm's most frequent reasons mean, and what can be done (squeue manual, "Job reasons"). */
const WORDS: Readonly<Record<string, string>> = {
  Priority: "other jobs come first",
  Resources: "it waits for resources to become free",
  Dependency: "it waits for another job",
  BeginTime: "its begin time has not come",
  JobHeldUser: "it is held by its user",
  JobHeldAdmin: "it is held by an administrator",
  ReqNodeNotAvail: "a node that it needs is not available now",
  PartitionDown: "its partition is down",
  PartitionInactive: "its partition is inactive",
  PartitionTimeLimit: "its time limit is longer than its partition allows",
  PartitionNodeLimit: "it asks for more nodes or CPUs than its partition has",
  Licenses: "it waits for a license",
  Reservation: "it waits for its reservation",
  BadConstraints: "no node fulfils its constraints",
  DependencyNeverSatisfied: "the job it waits for has failed",
  InvalidAccount: "its account is not valid",
  InvalidQOS: "its QOS is not valid",
  NodeDown: "a node that it needs is down",
  launch_failed_requeued_held: "its launch failed; it is held for an administrator to look at",
};

/** The waiting message of a queued job: Slurm's own words first. */
export function pendingMessage(jobId: string, state: string, reason: string): string {
  const own = reason.replace(/^\((.*)\)$/s, "$1");
  const shown = own === "" || own === "None" ? state : `${state}, ${own}`;
  const [key = ""] = own.split(/[\s,(]/);
  const words = Object.hasOwn(WORDS, key) ? WORDS[key] : limitWords(key);
  return `Slurm job ${jobId} is queued (${shown})${words === undefined ? "" : `: ${words}`}.`;
}

function limitWords(reason: string): string | undefined {
  if (/^(Assoc|QOS).*Limit$/.test(reason)) return "a limit of its account or QOS is reached";
  if (/Max.*PerUser|PerAccount/.test(reason)) return "a limit of its user or account is reached";
  return undefined;
}
