/**
 * The job's id in what sbatch wrote: a line of its own with `--parsable` (`123` or `123;cluster`), or its usual sentence.
 * Sites put greetings around it. `undefined`: it is not there, which does not mean that there is no job.
 */
export function submittedJob(stdout: string): string | undefined {
  const lines = stdout.split(/\r?\n/).map((line) => line.trim());
  for (const line of lines.toReversed()) {
    const id = /^(\d+)(?:;[\w.-]+)?$|^Submitted batch job (\d+)\b/.exec(line);
    if (id !== null) return id[1] ?? id[2];
  }
  return undefined;
}
