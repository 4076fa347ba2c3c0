import { execFile } from "node:child_process";
import { rmSync } from "node:fs";
import { truncate, writeFile } from "node:fs/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Bytes that it holds at the most; it takes as much of the disk as is written. */
const SIZE = 8 * 1024 ** 3;

/**
 * A fresh ext4 with a journal, as sites have it, mounted over a directory. What was deleted on the machine's own file system
 * a while ago slows down whatever makes files there: one without a journal looks at each inode that was deleted in the last
 * minutes before it makes another, and benchmarks delete a lot.
 */
export class OwnFileSystem implements AsyncDisposable {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * `folder`: there is nothing in it. Gives `undefined` where this machine cannot mount one: then the folder is used as it is, and
   * `why` is told.
   */
  static async over(
    folder: string,
    why: (reason: string) => void,
  ): Promise<OwnFileSystem | undefined> {
    const image = `${folder}.img`;
    try {
      await writeFile(image, "", { flag: "wx", mode: 0o600 });
      await truncate(image, SIZE);
      await run("mkfs.ext4", ["-q", "-F", image]);
      await run("mount", ["-o", "loop", image, folder]);
      return new OwnFileSystem(folder);
    } catch (error) {
      why((error as Error).message.trim());
      return undefined;
    } finally {
      // What is mounted keeps it; whatever becomes of us, the disk has it back with the mount.
      rmSync(image, { force: true });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Lazily: a process that ends right now may still have its working directory there.
    await run("umount", ["--lazy", this.#folder]);
  }
}
