import { chownSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { asUser } from "../systems/ordinary-user.ts";
import { runProgram } from "../systems/programs.ts";
import type { SlurmSystem } from "../systems/slurm-system.ts";
import { waitUntil } from "../systems/wait-until.ts";

/** A job as `scontrol show job` tells it: field by field. */
export type ShownJob = Readonly<Record<string, string>>;

/** Slurm's commands as an ordinary user gives them, with a folder in that user's home. */
export class UserCommands implements Disposable {
  readonly slurm: SlurmSystem;
  /** Shared by login node and compute node, as homes of a site are. */
  readonly folder: string;

  constructor(slurm: SlurmSystem) {
    this.slurm = slurm;
    this.folder = mkdtempSync(join(slurm.user.home, "test-"));
    chownSync(this.folder, slurm.user.uid, slurm.user.gid);
  }

  /** Runs a program as the user; rejects with what it wrote to stderr. */
  async run(...command: readonly string[]): Promise<string> {
    const [program = "", ...args] = asUser(
      this.slurm.user,
      { SLURM_CONF: this.slurm.conf, LC_ALL: "C.UTF-8" },
      command,
    );
    return (await runProgram(program, args)).toString();
  }

  /** Submits a line of shell; gives the job's id. */
  async submit(script: string, ...options: readonly string[]): Promise<string> {
    const output = `--output=${join(this.folder, "%j.out")}`;
    const all = ["--parsable", `--chdir=${this.folder}`, output, "--mem=50M", ...options];
    return (await this.run("sbatch", ...all, "--wrap", script)).trim();
  }

  async show(job: string): Promise<ShownJob> {
    const told = await this.run("scontrol", "--oneliner", "show", "job", job);
    const fields = told.split(/\s(?=[A-Za-z:/]+=)/).map((field) => field.trim());
    return Object.fromEntries(
      fields.map((field) => {
        const [name = ""] = field.split("=", 1);
        return [name, field.slice(name.length + 1)];
      }),
    );
  }

  /** Until the job is in this state. */
  async jobIn(job: string, ...states: readonly string[]): Promise<ShownJob> {
    return waitUntil(`job ${job} is ${states.join(" or ")}`, async () => {
      const shown = await this.show(job);
      return states.includes(shown["JobState"] ?? "") ? shown : undefined;
    });
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
