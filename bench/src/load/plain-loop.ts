import { type ChildProcess, spawn } from "node:child_process";

/**
 * What the process plugin is compared with: a loop that starts all commands at once and waits for them, with nothing of
 * ours around it. Resolves with the milliseconds from the first start to the last end.
 */
export async function plainLoop(
  commands: readonly (readonly string[])[],
  signal: AbortSignal,
): Promise<number> {
  const started = performance.now();
  const children = commands.map(([program = "", ...args]) =>
    spawn(program, args, { stdio: "ignore" }),
  );
  const kill = (): void => {
    for (const child of children) child.kill("SIGKILL");
  };
  signal.addEventListener("abort", kill, { once: true });
  try {
    await Promise.all(children.map(succeeded));
  } finally {
    signal.removeEventListener("abort", kill);
    kill();
  }
  return performance.now() - started;
}

function succeeded(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, by) => {
      if (code === 0) resolve();
      else reject(new Error(`a command of the plain loop ended with ${code ?? by}`));
    });
  });
}
