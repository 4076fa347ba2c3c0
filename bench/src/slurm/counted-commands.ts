import { chmod, chown, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Slurm's programs that the plugin asks with; what it submits with is one a pod, and not counted. */
const ASKING = ["squeue", "scontrol", "scancel", "sinfo", "sacct"] as const;
type Asking = (typeof ASKING)[number];

/** Stands before a program of Slurm and writes down that it was run. */
const COUNTER = `#!/bin/sh
printf '%s\\n' "\${0##*/}" >>"\${0%/*}/log"
PATH=/usr/bin:/bin exec "\${0##*/}" "$@"
`;

/** Slurm's programs, counted. */
export class CountedCommands {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Puts them into `folder`, which does not exist yet, for the user who runs them. */
  static async make(folder: string, user: { uid: number; gid: number }): Promise<CountedCommands> {
    await mkdir(folder, { mode: 0o755 });
    await writeFile(join(folder, "counter"), COUNTER);
    await chmod(join(folder, "counter"), 0o755);
    await writeFile(join(folder, "log"), "");
    await chown(join(folder, "log"), user.uid, user.gid);
    for (const name of ASKING) await symlink("counter", join(folder, name));
    return new CountedCommands(folder);
  }

  path(name: Asking): string {
    return join(this.#folder, name);
  }

  /** How many were begun so far. */
  async count(): Promise<number> {
    return (await readFile(join(this.#folder, "log"), "utf8")).split("\n").length - 1;
  }
}
