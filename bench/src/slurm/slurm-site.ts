import { rmSync } from "node:fs";
import { chmod, chown, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  asUser,
  findApptainer,
  publicFolder,
  SlurmDaemons,
  slurmSystem,
  UserCommands,
} from "@interlink/e2e";
import { createInterlinkClient, type InterlinkClient } from "@interlink/protocol";
import { Parts } from "../parts/system.ts";
import type { BenchContext } from "../scenario.ts";
import { CountedCommands } from "./counted-commands.ts";
import { OwnFileSystem } from "./own-file-system.ts";

/** Slurm is told that there are so many processors: all jobs of the benchmark run at once. */
const CPUS = 1024;

/** A real Slurm of one node, the plugin as a process of an ordinary user, and a client of the plugin. */
export class SlurmSite implements AsyncDisposable {
  readonly user: UserCommands;
  readonly parts: Parts;
  readonly client: InterlinkClient;
  readonly commands: CountedCommands;
  /** A directory that Apptainer runs as an image. */
  readonly image: string;
  readonly version: string;
  /** On what its files lie, in words. */
  readonly disk: string;
  readonly #place: Place;
  readonly #daemons: SlurmDaemons;

  private constructor(
    given: Pick<SlurmSite, "user" | "parts" | "client" | "commands" | "image" | "version">,
    place: Place,
    daemons: SlurmDaemons,
  ) {
    this.user = given.user;
    this.parts = given.parts;
    this.client = given.client;
    this.commands = given.commands;
    this.image = given.image;
    this.version = given.version;
    this.disk = place.disk;
    this.#place = place;
    this.#daemons = daemons;
  }

  static async start(context: BenchContext): Promise<SlurmSite> {
    const { progress, cpuProfiles } = context;
    progress("starting a Slurm");
    const name = `bench${process.pid}`;
    const place = await newPlace(name);
    const daemons = new SlurmDaemons(publicFolder(name, "slurm"), name, {
      cpus: CPUS,
      // Hundreds of containers that begin at once keep a small machine from answering in Slurm's own 10 s: its daemons lost
      // jobs that they had begun.
      messageTimeout: 100,
      // The plain loop's jobs are the same user's, and the plugin asks for all that Slurm remembers of that one.
      minJobAge: 30,
    });
    const parts = new Parts(context);
    let user: UserCommands | undefined;
    try {
      await daemons.start();
      const shared = await slurmSystem(daemons);
      const home = publicFolder(name, "home");
      await chown(home, shared.user.uid, shared.user.gid);
      const slurm = { ...shared, user: { ...shared.user, home } };
      user = new UserCommands(slurm);
      if (cpuProfiles !== undefined) {
        await mkdir(cpuProfiles, { recursive: true });
        await chown(cpuProfiles, slurm.user.uid, slurm.user.gid);
      }
      const apptainer = await findApptainer();
      const commands = await CountedCommands.make(join(user.folder, "commands"), slurm.user);
      await mkdir(join(user.folder, "ends"), { mode: 0o755 });
      const config = {
        ContainerRuntime: "apptainer",
        SingularityPath: apptainer.path,
        HostPaths: [join(user.folder, "ends")],
        SqueuePath: commands.path("squeue"),
        ScontrolPath: commands.path("scontrol"),
        ScancelPath: commands.path("scancel"),
        SinfoPath: commands.path("sinfo"),
        SacctPath: commands.path("sacct"),
      };
      const file = join(user.folder, "plugin.yaml");
      await writeFile(file, JSON.stringify(config));
      await chmod(file, 0o644);
      await chown(join(user.folder, "ends"), slurm.user.uid, slurm.user.gid);
      const address = await parts.slurmPlugin(file, user.folder, (command) =>
        asUser(slurm.user, { SLURM_CONF: slurm.conf, LC_ALL: "C.UTF-8" }, command),
      );
      const client = createInterlinkClient({ address, peer: "plugin" });
      const given = { user, parts, client, commands, image: apptainer.image };
      return new SlurmSite(
        { ...given, version: `Slurm ${slurm.version}, Apptainer ${apptainer.version}` },
        place,
        daemons,
      );
    } catch (error) {
      await parts[Symbol.asyncDispose]();
      await daemons.destroy();
      user?.[Symbol.dispose]();
      await place[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The directory of a pod's job. */
  jobFolder(uid: string): string {
    return join(this.user.folder, "root", "pods", uid);
  }

  /** When the container of this pod ended, as its exit record says, as milliseconds since the epoch. */
  async endOf(uid: string): Promise<number> {
    const records = await readFile(join(this.jobFolder(uid), "records"), "utf8");
    const line = records.split("\n").find((one) => one.split(" ", 3)[1] === "exited");
    const [, , , , , at] = line?.split(" ") ?? [];
    if (at === undefined) throw new Error(`The job of ${uid} has no exit record:\n${records}`);
    return 1000 * Number(at);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client[Symbol.asyncDispose]();
    await this.parts[Symbol.asyncDispose]();
    await this.#daemons.destroy();
    this.user[Symbol.dispose]();
    await this.#place[Symbol.asyncDispose]();
  }
}

/** Where all files of a site lie. */
interface Place extends AsyncDisposable {
  disk: string;
}

async function newPlace(name: string): Promise<Place> {
  const folder = publicFolder(name);
  let disk = "an ext4 of their own";
  const own = await OwnFileSystem.over(folder, (reason) => {
    disk = `this machine's own file system, as none could be mounted: ${reason}`;
  });
  return {
    disk,
    [Symbol.asyncDispose]: async () => {
      await own?.[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
