import { chmod, lchown, mkdir, readdir, readFile, readlink, rm } from "node:fs/promises";
import { join } from "node:path";
import {
  consoleScriptPath,
  type FileStep,
  PluginError,
  packBatchPod,
  type ThreadedDisk,
  writeBatchGrace,
  writeBatchPod,
} from "@interlink/plugin-sdk";
import type { SystemUser } from "../commands/slurm-client.ts";
import { CLAIM_FILE } from "../pods/job-script.ts";
import type { PlannedJob } from "../pods/plan-job.ts";
import { FixedFiles, newFile } from "./fixed-files.ts";

/** The files of all jobs: a directory per pod, which the job's user owns and compute nodes see under the same path. */
export class JobFiles {
  readonly #pods: string;
  readonly #disk: ThreadedDisk;
  readonly #fixed: FixedFiles;
  /** Read at the first need. */
  #consoleScript: Promise<string> | undefined;

  /** `root`: absolute. */
  constructor(root: string, disk: ThreadedDisk) {
    this.#pods = join(root, "pods");
    this.#disk = disk;
    // The root may be a directory in which a site has more; no name of its own is this one.
    this.#fixed = new FixedFiles(join(root, ".interlink-scripts"), disk);
  }

  /** The pod's directory. `uid` has been found to be a file name. */
  directory(uid: string): string {
    return join(this.#pods, uid);
  }

  /** What the script writes when something happens. */
  records(uid: string): string {
    return join(this.directory(uid), "records");
  }

  /** Slurm's own output of the job, beside its containers'. */
  jobLog(uid: string): string {
    return join(this.directory(uid), "job.log");
  }

  log(uid: string, container: string, attempt: number): string {
    return join(this.directory(uid), "logs", `${container}-${attempt}.log`);
  }

  async open(): Promise<void> {
    // Others must pass through to their own directories, but need not see whose there are.
    await mkdir(this.#pods, { recursive: true, mode: 0o711 });
    await chmod(this.#pods, 0o711);
  }

  /** To be called when no other process can be using them any more. */
  async forgetScripts(): Promise<void> {
    await this.#fixed.open();
  }

  /** A copy of the SDK's script, for commands in running containers. */
  execScript(uid: string): string {
    return join(this.directory(uid), "exec.sh");
  }

  /**
   * Writes all that the job needs, for its user alone, and gives the path of its script. Repeatable. Throws `PluginError`
   * `rejected` for a script beyond `maxBytes`.
   */
  async write(
    uid: string,
    { batchPod, script }: PlannedJob,
    options: {
      shared: boolean;
      maxBytes: number;
      user: SystemUser | undefined;
      /** The SDK's script, text. */
      batchScript: string;
    },
  ): Promise<string> {
    const { shared, maxBytes, user, batchScript } = options;
    const directory = this.directory(uid);
    const content = shared ? script : packBatchPod(batchPod, { script, maxBytes });
    // Not counted for each pod where it cannot be too long: a unit of a text has at most three bytes.
    if (content.length * 3 > maxBytes && Buffer.byteLength(content) > maxBytes) {
      throw new PluginError(
        "rejected",
        `The job's script has ${Buffer.byteLength(content)} bytes, and Slurm takes at most ${maxBytes} (max_script_size).`,
      );
    }
    this.#consoleScript ??= readFile(consoleScriptPath(), "utf8");
    const file = join(directory, "job.sh");
    const scripts = [
      { path: file, content, mode: 0o700 },
      { path: this.execScript(uid), content: batchScript, mode: 0o600 },
      { path: join(directory, "console.pl"), content: await this.#consoleScript, mode: 0o600 },
    ];
    const pod = shared ? batchPod : { ...batchPod, files: [] };
    const write = (behind: readonly FileStep[]) =>
      writeBatchPod(pod, directory, { disk: this.#disk, behind });
    if (user !== undefined) {
      // What is given away belongs to no other pod, and leads to nothing of another's.
      await write(scripts.map(newFile));
      await giveTo(directory, user);
      return file;
    }
    try {
      await write(await Promise.all(scripts.map((one) => this.#fixed.step(one))));
    } catch (error) {
      if (!this.#fixed.isLost(error)) throw error;
      this.#fixed.forget();
      await write(scripts.map(newFile));
    }
    return file;
  }

  /** The id of the job that has begun to run this pod, if one has. */
  async claim(uid: string): Promise<string | undefined> {
    try {
      const id = await readlink(join(this.directory(uid), CLAIM_FILE));
      return /^[1-9]\d*$/.test(id) ? id : undefined;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }

  /** Each changes when the records of that pod have changed; `""`: there are none yet. */
  async stamps(uids: readonly string[]): Promise<string[]> {
    const stamps = await this.#disk.stamps(uids.map((uid) => this.records(uid)));
    return stamps.map((stamp) => stamp ?? "");
  }

  /** Tells the job's script how long its pod may take to end. `owner`: as whom the job runs, if not as this process. */
  async grace(uid: string, seconds: number, owner: number | undefined): Promise<void> {
    const directory = this.directory(uid);
    await writeBatchGrace(directory, seconds);
    if (owner !== undefined) await lchown(join(directory, "grace"), owner, -1);
  }

  async remove(uid: string): Promise<void> {
    // A job that is ending may still write a file.
    await rm(this.directory(uid), { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}

/** Of what this process has just made; links are given away themselves, never what they lead to. */
async function giveTo(path: string, user: SystemUser): Promise<void> {
  for (const entry of await readdir(path, { withFileTypes: true })) {
    const inner = join(path, entry.name);
    if (entry.isDirectory()) await giveTo(inner, user);
    else await lchown(inner, user.uid, user.gid);
  }
  await lchown(path, user.uid, user.gid);
}
