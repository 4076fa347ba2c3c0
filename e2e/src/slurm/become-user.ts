import { isMainThread } from "node:worker_threads";
import type { SlurmSystem } from "../systems/slurm-system.ts";

/**
 * From here on this process is the ordinary user who submits jobs, with that user's environment. There is no way back:
 * only for test files that run in a process of their own, as vitest's are.
 */
export function becomeUser({ user, conf }: SlurmSystem): void {
  if (!isMainThread || process.setuid === undefined) {
    throw new Error("Only a process can become another user, and this is a thread of one");
  }
  process.setgroups?.([user.gid]);
  process.setgid?.(user.gid);
  process.setuid(user.uid);
  const { PATH: path = "" } = process.env;
  for (const name of ["XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "SUDO_USER"]) {
    delete process.env[name];
  }
  Object.assign(process.env, {
    PATH: path,
    HOME: user.home,
    USER: user.name,
    LOGNAME: user.name,
    SLURM_CONF: conf,
    // Made by the suites of the SDK: jobs must be able to see them, and so must we.
    TMPDIR: user.home,
  });
}
