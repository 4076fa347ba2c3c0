import type { ChildProcess } from "node:child_process";

/** A step of a job whose node does not answer hangs for as long as that. Milliseconds. */
const PATIENCE_MS = 30_000;

/** For a program that ends by itself, as its input has ended: one that does not is told to. */
export function endSoon(child: ChildProcess, patienceMs = PATIENCE_MS): void {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const timer = setTimeout(() => child.kill("SIGTERM"), patienceMs);
  // Nothing here waits for it.
  timer.unref();
  child.once("exit", () => clearTimeout(timer));
}
