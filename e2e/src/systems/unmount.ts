import { readFileSync } from "node:fs";
import { runProgram } from "./programs.ts";
import { waitUntil } from "./wait-until.ts";

/**
 * Unmounts all that is mounted on a folder and below it, the deepest first, so that the folder can be deleted. A mount is
 * busy until the last process of an engine that was stopped has ended, and some engines unmount by themselves then.
 */
export async function unmountBelow(folder: string): Promise<void> {
  for (const path of mountsBelow(folder).sort((a, b) => b.length - a.length)) {
    await waitUntil(`${path} is unmounted`, async () => {
      if (mountsBelow(folder).includes(path)) await runProgram("umount", [path]);
      return true;
    });
  }
}

function mountsBelow(folder: string): string[] {
  return (
    readFileSync("/proc/self/mounts", "utf8")
      .split("\n")
      .map((line) => line.split(" ")[1] ?? "")
      // A space is \040 there.
      .map((path) =>
        path.replaceAll(/\\([0-7]{3})/g, (_, code: string) =>
          String.fromCharCode(Number.parseInt(code, 8)),
        ),
      )
      .filter((path) => path === folder || path.startsWith(`${folder}/`))
  );
}
