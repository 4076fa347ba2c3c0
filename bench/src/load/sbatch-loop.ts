import type { UserCommands } from "@interlink/e2e";

export interface SbatchLoopOptions {
  user: UserCommands;
  /** A job's script: the same as the plugin submits. */
  script: string;
  /** The processes that submit at the same time. */
  atOnce: number;
}

const NAME = "plain-loop";

/**
 * What the Slurm plugin's submissions are compared with: `xargs` runs sbatch so many times, as the same user, with the
 * same script, on hold. Resolves with the milliseconds that it took.
 */
export async function sbatchLoop(
  count: number,
  { user, script, atOnce }: SbatchLoopOptions,
): Promise<number> {
  const sbatch = ["sbatch", "--parsable", "--hold", `--job-name=${NAME}`];
  const options = [`--chdir=${user.folder}`, "--output=/dev/null", script];
  const begun = performance.now();
  // The words of xargs itself come first; what it adds to each command is the script's only argument.
  await user.run(
    "sh",
    "-c",
    'processes=$1; count=$2; shift 2; seq "$count" | xargs -P "$processes" -n 1 "$@"',
    "sh",
    String(atOnce),
    String(count),
    ...sbatch,
    ...options,
  );
  return performance.now() - begun;
}

/** Cancels what {@link sbatchLoop} has submitted. */
export async function cancelLoop(user: UserCommands): Promise<void> {
  await user.run("scancel", `--jobname=${NAME}`);
}
