import { type EndFacts, stateName } from "./job-state.ts";
import { SlurmOutputError } from "./slurm-output-error.ts";
import { slurmTime } from "./slurm-time.ts";

/** More about one job, from scontrol or from accounting. Times are milliseconds since the epoch. */
export interface JobDetails extends EndFacts {
  id: string;
  startAt?: number;
  endAt?: number;
  comment?: string;
  name?: string;
  /** The end of the job's own output, of one that ended before it ran its pod. */
  said?: string;
}

/**
 * Reads `scontrol show job`: several jobs are separated by empty lines. A key counts only where scontrol puts it, at the
 * place in the line that is its own, as names and paths with spaces may hold anything. Throws {@link SlurmOutputError}.
 */
export function parseShowJob(output: string): JobDetails[] {
  return output
    .split(/\n\s*\n/)
    .filter((block) => block.trim() !== "")
    .map((block) => {
      const id = /^JobId=(\d+)/.exec(block.trimStart())?.[1];
      const state = /^ +JobState=(\S+) Reason=(.*?)(?: Dependency=.*| FailedNode=.*)?$/m.exec(
        block,
      );
      if (id === undefined || state === null) {
        throw new SlurmOutputError("scontrol", "a job that cannot be read", block);
      }
      const exit = /^ +Requeue=\d.* ExitCode=(\d+):(\d+)$/m.exec(block);
      const times = /^ +StartTime=(\S+) EndTime=(\S+)/m.exec(block);
      const node = /^ +BatchHost=(\S+)/m.exec(block)?.[1];
      const comment = /^ +Comment=(.*)$/m.exec(block)?.[1];
      return {
        id,
        state: stateName(state[1] ?? ""),
        reason: state[2] ?? "",
        ...exitFacts(exit?.[1], exit?.[2]),
        ...timeFacts(times?.[1], times?.[2]),
        ...(node !== undefined && { node }),
        ...(comment !== undefined && { comment }),
      };
    });
}

/** What is asked of accounting about ended jobs: these, or all of a name since then (milliseconds since the epoch). */
export function accountingArguments(
  which: { ids: readonly string[] } | { name: string; since: number },
): string[] {
  return [
    "--noheader",
    "--parsable2",
    "--allocations",
    "--format=JobIDRaw,State,ExitCode,Start,End,NodeList,JobName",
    ...("ids" in which
      ? [`--jobs=${which.ids.join(",")}`]
      : [`--name=${which.name}`, `--starttime=${utc(which.since)}`]),
  ];
}

/** Reads what sacct wrote for {@link accountingArguments}. Throws {@link SlurmOutputError}. */
export function parseAccounting(output: string): JobDetails[] {
  return output
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [id = "", written = "", exit = "", from, to, node = "", ...name] = line.split("|");
      if (!/^\d+$/.test(id) || written === "" || name.length === 0) {
        throw new SlurmOutputError("sacct", "a job that cannot be read", line);
      }
      const by = /^CANCELLED by (\S+)$/.exec(written)?.[1];
      const [code, signal] = exit.split(":");
      return {
        id,
        state: stateName(written),
        ...exitFacts(code, signal),
        ...timeFacts(from, to),
        ...(by !== undefined && { cancelledBy: `user ${by}` }),
        ...(node !== "" && node !== "None assigned" && { node }),
        name: name.join("|"),
      };
    });
}

function exitFacts(code: string | undefined, signal: string | undefined): Partial<EndFacts> {
  if (!/^\d+$/.test(code ?? "")) return {};
  return { code: Number(code), ...(/^\d+$/.test(signal ?? "") && { signal: Number(signal) }) };
}

function timeFacts(
  from: string | undefined,
  to: string | undefined,
): { startAt?: number; endAt?: number } {
  const startAt = slurmTime(from ?? "");
  const endAt = slurmTime(to ?? "");
  return { ...(startAt !== undefined && { startAt }), ...(endAt !== undefined && { endAt }) };
}

/** For sacct under `TZ=UTC`. */
function utc(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 19);
}
