import { spawn } from "node:child_process";

/**
 * What the process plugin is compared with: a loop that starts all commands at once and waits for them, with nothing of
 * ours around it. Resolves with the milliseconds from the first start to the last end.
 */
export async function plainLoop(
  commands: readonly (readonly string[])[],
  signal: AbortSignal,
): Promise<number> {
  const started = performance.now();
  const ends = commands.map(
    ([program = "", ...args]) =>
      new Promise<void>((resolve, reject) => {
        const child = spawn(program, args, { stdio: "ignore", signal, killSignal: "SIGKILL" });
        child.once("error", reject);
        child.once("exit", (code, by) => {
          if (code === 0) resolve();
          else reject(new Error(`${program} of the plain loop ended with ${code ?? by}`));
        });
      }),
  );
  await Promise.all(ends);
  return performance.now() - started;
}
