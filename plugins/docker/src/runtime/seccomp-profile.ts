import { readFile, realpath } from "node:fs/promises";
import { join, sep } from "node:path";
import { RuntimeError } from "@interlink/plugin-sdk";

/**
 * A profile that a pod names, as the engine takes it: Docker its content, Podman its path. Throws `RuntimeError`
 * `InvalidConfig` when there is none, for a container must not run less confined than its owner asked for.
 */
export async function readSeccompProfile(
  directory: string | undefined,
  name: string,
  isPodman: boolean,
): Promise<string> {
  if (directory === undefined) {
    throw new RuntimeError(
      "InvalidConfig",
      `seccomp profile "${name}" of type Localhost: this plugin has no directory of profiles (seccompProfiles).`,
    );
  }
  try {
    const root = await realpath(directory);
    const file = await realpath(join(root, name));
    if (!file.startsWith(root + sep)) throw new Error("it is not in the directory of profiles");
    const text = await readFile(file, "utf8");
    // Each engine would tell of a broken one in words of its own.
    const profile = JSON.stringify(JSON.parse(text));
    return isPodman ? file : profile;
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new RuntimeError(
      "InvalidConfig",
      `cannot load seccomp profile "${name}": ${code === "ENOENT" ? "there is none" : (code ?? message)}`,
      { cause },
    );
  }
}
