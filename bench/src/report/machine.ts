import { execFileSync } from "node:child_process";
import { cpus, loadavg, release, totalmem } from "node:os";

/** Where a run took place: without it, numbers mean nothing. */
export interface MachineFacts {
  cores: number;
  processor: string;
  memoryMiB: number;
  system: string;
  node: string;
  /** `unknown` outside a git checkout; ends with `+changes` when files differ from the commit. */
  commit: string;
  /** Of the last minute, before the run began: what else the machine was doing. */
  load: number;
}

/** Facts of this machine and of the checkout in `directory`. */
export function machineFacts(directory: string): MachineFacts {
  const processors = cpus();
  return {
    cores: processors.length,
    processor: processors[0]?.model ?? "unknown",
    memoryMiB: Math.round(totalmem() / 1024 ** 2),
    system: `${process.platform} ${release()}`,
    node: process.version,
    commit: commitOf(directory),
    load: Math.round((loadavg()[0] ?? 0) * 100) / 100,
  };
}

function commitOf(directory: string): string {
  const git = (...args: string[]): string =>
    execFileSync("git", ["-C", directory, ...args], {
      encoding: "utf8",
      timeout: 10_000,
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  try {
    const commit = git("rev-parse", "--short=12", "HEAD");
    return git("status", "--porcelain", "--untracked-files=no") === ""
      ? commit
      : `${commit}+changes`;
  } catch {
    // No git, or no checkout.
    return "unknown";
  }
}
