import { readFile } from "node:fs/promises";
import type { EngineClient } from "../engine/engine-client.ts";
import { inspectExec } from "../runtime/exec.ts";

/**
 * Tells an exec'd process that its terminal is gone (SIGHUP), as the kernel does when a terminal closes: engines keep the
 * terminal open, and a shell would wait at it for ever. The Engine API cannot signal such a process, so this needs the
 * engine on this machine, and the right to signal; elsewhere nothing happens. Gives whether it was told.
 */
export async function hangUp(
  engine: EngineClient,
  exec: string,
  container: string,
  signal: AbortSignal,
): Promise<boolean> {
  const { Running, Pid } = await inspectExec(engine, exec, signal);
  if (!Running || !(Pid > 1)) return false;
  try {
    // Another machine's process may have that number here; the container's id is in the name of its control group.
    const groups = await readFile(`/proc/${Pid}/cgroup`, "utf8");
    if (!groups.includes(container)) return false;
    process.kill(Pid, "SIGHUP");
    return true;
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (["ENOENT", "ESRCH", "EPERM", "EACCES"].includes(code)) return false;
    throw error;
  }
}
