import { chownSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { SlurmSite } from "../systems/describe-system.ts";
import { asUser } from "../systems/ordinary-user.ts";
import { OwnedProcess } from "../systems/owned-process.ts";
import { waitUntil } from "../systems/wait-until.ts";
import type { PluginTask } from "./plugin-child.ts";
import { UserCommands } from "./user-commands.ts";

/** The built program: the e2e project runs what users run. */
const CHILD = fileURLToPath(new URL("../../dist/slurm/plugin-child.js", import.meta.url));

/** The Slurm plugin as a process of the ordinary user, which a test may kill and start again. */
export class SlurmPlugin implements AsyncDisposable {
  readonly user: UserCommands;
  readonly #settings: Record<string, unknown>;
  #process: OwnedProcess | undefined;
  #lives = 0;

  constructor({ slurm, apptainer }: SlurmSite, settings: Record<string, unknown> = {}) {
    this.user = new UserCommands(slurm);
    this.#settings = {
      ContainerRuntime: "apptainer",
      SingularityPath: apptainer.path,
      PollSeconds: 1,
      ...settings,
    };
  }

  /** As programs of interLink take it. */
  get address(): string {
    return `unix://${this.#socket}`;
  }

  /** What the present life has printed last. */
  get log(): string {
    return this.#process?.log ?? "";
  }

  get isOver(): boolean {
    return this.#process?.isOver ?? true;
  }

  get #socket(): string {
    return join(this.user.folder, "plugin.sock");
  }

  /** A new life, which may be told to die at a step. Resolves when it serves. */
  async start(crashAt?: string): Promise<void> {
    const { slurm, folder } = this.user;
    const task: PluginTask = {
      root: join(folder, "root"),
      socket: this.#socket,
      settings: this.#settings,
      ...(crashAt === undefined ? {} : { crashAt }),
    };
    const file = join(folder, `task-${++this.#lives}.json`);
    writeFileSync(file, JSON.stringify(task));
    chownSync(file, slurm.user.uid, slurm.user.gid);
    const command = asUser(slurm.user, { SLURM_CONF: slurm.conf, LC_ALL: "C.UTF-8" }, [
      process.execPath,
      CHILD,
      file,
    ]);
    const started = new OwnedProcess(
      "the Slurm plugin",
      command,
      join(folder, `plugin-${this.#lives}.log`),
    );
    this.#process = started;
    await waitUntil("the Slurm plugin serves", () => {
      if (started.isOver) throw new Error(`it has ended:\n${started.log}`);
      return started.log.includes('"msg":"ready"');
    });
  }

  async kill9(): Promise<void> {
    await this.#process?.kill9();
  }

  /** Until it has died at the step that {@link start} named. */
  async died(): Promise<void> {
    await waitUntil("the Slurm plugin has died", () => this.isOver);
  }

  /** Ids of the jobs of a pod that Slurm knows, the ended ones too. */
  async jobsOf(uid: string): Promise<string[]> {
    const jobs = await this.user.run("squeue", "--noheader", "--states=all", "--format=%i %k");
    return jobs
      .split("\n")
      .filter((line) => line.includes(uid))
      .map((line) => line.trim().split(" ", 1)[0] ?? "");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill9();
    this.user[Symbol.dispose]();
  }
}
