import { PluginError } from "../plugin-error.ts";

const MAX_PATH = 4096;
const MAX_NAME_BYTES = 255;

/**
 * A path inside a volume, cleaned (`a//./b` is `a/b`), safe to join below the volume's directory. The rules are those of
 * the kubelet's atomic writer: relative, no `..`, and no first name that begins with two dots, which are its own.
 * Throws `PluginError` `rejected`.
 */
export function volumePath(volume: string, path: string): string {
  const names = path.split("/").filter((name) => name !== "" && name !== ".");
  const problem =
    names.length === 0
      ? "is empty"
      : path.startsWith("/")
        ? "must be relative"
        : path.includes("\0")
          ? "holds a NUL"
          : names.includes("..")
            ? "must not contain '..'"
            : names[0]?.startsWith("..")
              ? "must not start with '..'"
              : path.length > MAX_PATH ||
                  names.some((name) => Buffer.byteLength(name) > MAX_NAME_BYTES)
                ? "is too long"
                : undefined;
  if (problem === undefined) return names.join("/");
  throw new PluginError(
    "rejected",
    `The path ${JSON.stringify(path.slice(0, 200))} in volume "${volume}" ${problem}.`,
  );
}
