import { readFileSync } from "node:fs";
import { runProgram } from "./programs.ts";

/** Unmounts all that is mounted on a folder and below it, the deepest first, so that the folder can be deleted. */
export async function unmountBelow(folder: string): Promise<void> {
  const mounts = readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "")
    // A space is \040 there.
    .map((path) =>
      path.replaceAll(/\\([0-7]{3})/g, (_, code: string) =>
        String.fromCharCode(Number.parseInt(code, 8)),
      ),
    )
    .filter((path) => path === folder || path.startsWith(`${folder}/`));
  for (const path of mounts.sort((a, b) => b.length - a.length)) {
    await runProgram("umount", [path]);
  }
}
