/** Whether an option of sbatch takes a value; `optional` ones take it only behind `=`. */
export type OptionValue = "none" | "required" | "optional";

/**
 * The options of sbatch, 20.11 to current, by their long names. One that is missing here is passed on as it is written,
 * so a newer Slurm's options work; what is here can be shortened and written as one letter, as sbatch allows.
 */
export const SBATCH_OPTIONS: Readonly<Record<string, OptionValue>> = {
  ...each(
    "none",
    "contiguous help hold ignore-pbs no-requeue overcommit oversubscribe parsable quiet reboot requeue share " +
      "spread-job stepmgr test-only usage use-min-nodes verbose version wait",
  ),
  ...each(
    "optional",
    "exclusive get-user-env immediate kill-on-invalid-dep nice no-kill oom-kill-step propagate resv-ports x11",
  ),
  ...each(
    "required",
    "account acctg-freq array batch bb bbf begin chdir cluster-constraint clusters comment constraint container " +
      "container-id core-spec cores-per-socket cpu-freq cpus-per-gpu cpus-per-task deadline delay-boot dependency " +
      "distribution error exclude export export-file extra extra-node-info gid gpu-bind gpu-freq gpus gpus-per-node " +
      "gpus-per-socket gpus-per-task gres gres-flags hint input job-name licenses mail-type mail-user mcs-label mem " +
      "mem-bind mem-per-cpu mem-per-gpu mincpus network nodefile nodelist nodes ntasks ntasks-per-core " +
      "ntasks-per-gpu ntasks-per-node ntasks-per-socket open-mode output partition power prefer priority profile qos " +
      "reservation segment signal sockets-per-node switches thread-spec threads-per-core time time-min tmp " +
      "tres-bind tres-per-task uid wait-all-nodes wckey wrap",
  ),
};

/** One-letter options and the long ones that they stand for. */
export const SHORT_OPTIONS: Readonly<Record<string, string>> = {
  A: "account",
  a: "array",
  B: "extra-node-info",
  b: "begin",
  C: "constraint",
  c: "cpus-per-task",
  D: "chdir",
  d: "dependency",
  e: "error",
  F: "nodefile",
  G: "gpus",
  H: "hold",
  h: "help",
  I: "immediate",
  i: "input",
  J: "job-name",
  k: "no-kill",
  L: "licenses",
  M: "clusters",
  m: "distribution",
  N: "nodes",
  n: "ntasks",
  O: "overcommit",
  o: "output",
  p: "partition",
  Q: "quiet",
  q: "qos",
  S: "core-spec",
  s: "oversubscribe",
  t: "time",
  u: "usage",
  V: "version",
  v: "verbose",
  W: "wait",
  w: "nodelist",
  x: "exclude",
};

/**
 * What nobody may set by flags, as the plugin does: where the job's output goes, by what it is found again, as whom it
 * runs, and what would make sbatch answer something else.
 */
export const OWN_OPTIONS: ReadonlySet<string> = new Set(
  (
    "array clusters comment error gid help input open-mode output parsable quiet test-only uid usage verbose version " +
    "wait wrap"
  ).split(" "),
);

/**
 * What a site may write into its flavors but a pod may not: it reads files of the login node, reaches into the plugin's
 * environment, or is a privilege of who submits for others.
 */
export const SITE_OPTIONS: ReadonlySet<string> = new Set(
  (
    "batch bbf chdir export export-file get-user-env no-requeue nodefile power priority propagate reboot requeue " +
    "stepmgr"
  ).split(" "),
);

function each(value: OptionValue, names: string): Record<string, OptionValue> {
  return Object.fromEntries(names.split(" ").map((name) => [name, value]));
}
