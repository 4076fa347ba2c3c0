import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { RuntimeError } from "@interlink/plugin-sdk";

/** Throws `RuntimeError` `StartFailed`, in a container engine's words, if there is no such command to execute. */
export async function checkCommand(command: string, path: string, cwd: string): Promise<void> {
  const isPath = command.includes("/");
  const candidates = isPath
    ? [resolve(cwd, command)]
    : path.split(":").map((directory) => join(directory === "" ? cwd : directory, command));
  let isThere = false;
  for (const candidate of candidates) {
    const found = await executable(candidate);
    if (found === "yes") return;
    isThere ||= found === "no-permission";
  }
  const why = isThere
    ? "permission denied"
    : isPath
      ? "no such file or directory"
      : "executable file not found in $PATH";
  const exitCode = isThere ? 126 : 127;
  throw new RuntimeError("StartFailed", `exec: "${command}": ${why}`, { exitCode });
}

async function executable(path: string): Promise<"yes" | "no-permission" | "absent"> {
  try {
    if (!(await stat(path)).isFile()) return "absent";
    await access(path, constants.X_OK);
    return "yes";
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EACCES" ? "no-permission" : "absent";
  }
}
