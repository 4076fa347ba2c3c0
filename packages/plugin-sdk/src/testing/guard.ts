import { spawn } from "node:child_process";
import { once } from "node:events";

// Nothing is ever written to it: its input ends when the process that has begun it is gone, however that happened. What
// it takes away is told by the environment, as tests look for processes by their command lines.
const GUARD = 'read -r _; kill -KILL "$GUARDED"; sleep 2; rm -rf -- "$PLACE"';

/**
 * For a test run that is interrupted or killed, and disposes of nothing: ends a process that outlives this one, and then
 * removes `place`, a directory of its own. To be disposed before the process is.
 */
export function guard(pid: number, place: string): AsyncDisposable & { lose(): void } {
  const watch = spawn("sh", ["-c", GUARD], {
    env: { PATH: process.env["PATH"], GUARDED: String(pid), PLACE: place },
    stdio: ["pipe", "ignore", "ignore"],
    // Ctrl-C in a terminal reaches a whole process group.
    detached: true,
  });
  const gone = once(watch, "exit");
  return {
    /** As the end of this process. */
    lose: () => watch.stdin?.destroy(),
    async [Symbol.asyncDispose]() {
      watch.kill("SIGKILL");
      await gone;
    },
  };
}
