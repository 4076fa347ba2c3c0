import { constants } from "node:fs";
import { open, readlink, realpath } from "node:fs/promises";
import { join, sep } from "node:path";
import { PluginError } from "../plugin-error.ts";

/** A kubelet's limit for files of variables. */
const MOST_BYTES = 64 * 1024;

/**
 * A small file of a volume whose content containers write; `undefined` if it is not there. Links may lead around in the
 * volume and not out of it: what is open is looked at, not what its name led to a moment before. Throws `PluginError`
 * `rejected` for one that does, for what is no file, and for a large one.
 */
export async function readInVolume(root: string, path: string): Promise<string | undefined> {
  const refuse = (why: string): PluginError =>
    new PluginError("rejected", `unable to read ${JSON.stringify(path)} of a volume: ${why}`);
  if (path.split("/").includes("..")) throw refuse("must not contain '..'");
  const inside = (await realpath(root)) + sep;
  let file: Awaited<ReturnType<typeof open>>;
  try {
    // Not blocking: it may be a pipe that nobody writes to.
    file = await open(join(inside, path), constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw refuse(code ?? String(error));
  }
  try {
    const real = await readlink(`/proc/self/fd/${file.fd}`);
    if (!real.startsWith(inside)) throw refuse("it leads out of the volume");
    const stat = await file.stat();
    if (!stat.isFile()) throw refuse("it is no file");
    if (stat.size > MOST_BYTES) throw refuse(`it has more than ${MOST_BYTES} bytes`);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MOST_BYTES), 0, MOST_BYTES, 0);
    return buffer.toString("utf8", 0, bytesRead);
  } finally {
    await file.close();
  }
}
