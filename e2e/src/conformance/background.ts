import { spawn } from "node:child_process";
import { waitUntil } from "../systems/wait-until.ts";
import type { Site } from "./site.ts";

/** A kubectl that goes on until it is disposed of. */
export interface Background extends AsyncDisposable {
  /** What it wrote when it was ready. */
  match: RegExpExecArray;
}

/** Starts kubectl, and waits until it has written what `ready` looks for. */
export async function inBackground(
  site: Site,
  args: readonly string[],
  ready: RegExp,
): Promise<Background> {
  const { kubeconfigFile } = site.system.cluster;
  const child = spawn("kubectl", ["--kubeconfig", kubeconfigFile, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (piece: string) => (text += piece));
  }
  const closed = new Promise<void>((resolve) => child.on("close", () => resolve()));
  const stop = async (): Promise<void> => {
    child.kill();
    await closed;
  };
  try {
    const match = await waitUntil(`kubectl ${args.join(" ")} is ready`, () => {
      if (child.exitCode !== null) throw new Error(`it has ended: ${text}`);
      return ready.exec(text) ?? undefined;
    });
    return { match, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw new Error(`${String(error)} It wrote: ${text}`, { cause: error });
  }
}
