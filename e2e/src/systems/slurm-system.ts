import { fileURLToPath } from "node:url";
import { cacheFolder } from "./cache-folder.ts";
import { SystemUnavailableError } from "./engine-system.ts";
import { asUser, type OrdinaryUser, ordinaryUser } from "./ordinary-user.ts";
import { runProgram } from "./programs.ts";
import { PUBLIC_FOLDER } from "./public-folder.ts";
import { type SlurmDaemons, sharedSlurmDaemons, whyNoSlurm } from "./slurm-daemons.ts";
import { Users } from "./users.ts";

/** A real Slurm, and the user who may submit to it. Plain data: it crosses into the test workers. */
export interface SlurmSystem {
  /** For `SLURM_CONF`. */
  conf: string;
  /** As in `22.05.8`. */
  version: string;
  user: OrdinaryUser;
  /** The machine lets Slurm hold jobs to their memory, so that it tells when one ran out of it. */
  holdsMemory: boolean;
}

/** One Slurm for all test files, and for all processes that test at the same time. */
export class SharedSlurm {
  /** Finds or starts it, and notes that `user` needs it until {@link release}. */
  async acquire(user: string): Promise<SlurmSystem> {
    const why = whyNoSlurm();
    if (why !== undefined) throw new SystemUnavailableError(why);
    return this.#exclusively(async (users) => {
      users.add(user);
      try {
        const daemons = sharedSlurmDaemons();
        await daemons.start();
        return await slurmSystem(daemons);
      } catch (error) {
        users.remove(user);
        throw error;
      }
    });
  }

  /** The last user stops it. */
  async release(user: string): Promise<void> {
    if (whyNoSlurm() !== undefined) return;
    await this.#exclusively(async (users) => {
      users.remove(user);
      if (users.list().length === 0) await sharedSlurmDaemons().stop();
    });
  }

  /** Stops it, whoever uses it. */
  async shut(): Promise<void> {
    if (whyNoSlurm() !== undefined) return;
    await this.#exclusively(async (users) => {
      users.clear();
      await sharedSlurmDaemons().stop();
    });
  }

  /** What runs now, for people. */
  status(): string {
    if (whyNoSlurm() !== undefined || !sharedSlurmDaemons().runs) {
      return "slurm: our own does not run";
    }
    const users = new Users(cacheFolder("slurm-users")).list().join(", ");
    return `slurm: our own runs in ${PUBLIC_FOLDER} (used by: ${users || "nobody"})`;
  }

  async #exclusively<T>(act: (users: Users) => Promise<T>): Promise<T> {
    const users = new Users(cacheFolder("slurm-users"));
    return users.exclusively(() => act(users));
  }
}

/** What tests need to know of a Slurm that runs. */
export async function slurmSystem(daemons: SlurmDaemons): Promise<SlurmSystem> {
  const told = await daemons.command("sinfo", "--version");
  const [version] = /\d+\.\d+\S*/.exec(told) ?? [];
  if (version === undefined) throw new Error(`sinfo --version says "${told.trim()}"`);
  const { conf, holdsMemory } = daemons;
  const user = await ordinaryUser();
  await seesCheckout(user);
  return { conf, version, user, holdsMemory };
}

/** The user runs the plugin from it. */
async function seesCheckout(user: OrdinaryUser): Promise<void> {
  const file = fileURLToPath(import.meta.url);
  const [command = "", ...args] = asUser(user, {}, ["test", "-r", file]);
  await runProgram(command, args).catch((cause: unknown) => {
    const why = `the user ${user.name} cannot read this checkout; put it where others can`;
    throw new SystemUnavailableError(why, { cause });
  });
}
