import { EngineClient, parseDockerHost } from "@interlink/plugin-docker";
import { cacheFolder } from "./cache-folder.ts";
import { type EngineKind, type EngineSystem, prepareEngine } from "./engine-system.ts";
import { BUSYBOX, pushImage, tagImage } from "./images.ts";
import { startRegistry, stopRegistry, whyNoRegistry } from "./registry.ts";
import { Users } from "./users.ts";

/** An engine of our own that may run in the background. */
export interface EngineDaemon {
  readonly host: string;
  readonly runs: boolean;
  /** Starts it, or finds it running. Resolves when it answers. */
  start(): Promise<void>;
  /** With all that it runs. */
  stop(): Promise<void>;
}

export interface SharedEngineOptions {
  kind: EngineKind;
  daemon: EngineDaemon;
  /** Gives the host of an engine that was there before us; else starts the daemon and gives its host. */
  findOrStart: () => Promise<string>;
  /** Whether the engine at this host pulls from registries on loopback without TLS. */
  pullsFromLoopback: (host: string) => boolean;
}

/** One engine for all test files, and for all processes that test at the same time. */
export class SharedEngine {
  readonly #options: SharedEngineOptions;

  constructor(options: SharedEngineOptions) {
    this.#options = options;
  }

  /** Finds or starts everything, and notes that `user` needs it until {@link release}. */
  async acquire(user: string): Promise<EngineSystem> {
    return exclusively(async () => {
      const users = usersOf(this.#options.kind);
      users.add(user);
      try {
        return await this.#bringUp();
      } catch (error) {
        users.remove(user);
        throw error;
      }
    });
  }

  /** The last user stops what we started; an engine that was there before us stays as it is. */
  async release(user: string): Promise<void> {
    await exclusively(async () => {
      usersOf(this.#options.kind).remove(user);
      await this.#stopUnused();
    });
  }

  /** Stops what we started, whoever uses it. */
  async shut(): Promise<void> {
    await exclusively(async () => {
      usersOf(this.#options.kind).clear();
      await this.#stopUnused();
    });
  }

  /** What runs now, for people. */
  status(): string {
    const { kind, daemon } = this.#options;
    const who = usersOf(kind).list();
    return daemon.runs
      ? `${kind}: our own engine runs at ${daemon.host} (used by: ${who.join(", ") || "nobody"})`
      : `${kind}: our own engine does not run`;
  }

  async #bringUp(): Promise<EngineSystem> {
    const { kind, findOrStart, pullsFromLoopback } = this.#options;
    const host = await findOrStart();
    await using engine = new EngineClient(parseDockerHost(host, process.env));
    const system = await prepareEngine(kind, engine);
    if (whyNoRegistry() !== undefined || !pullsFromLoopback(host)) return system;
    const registry = await startRegistry("open");
    const image = `${registry}/library/${BUSYBOX}`;
    await tagImage(engine, BUSYBOX, image);
    await pushImage(engine, image);
    return { ...system, registry, lockedRegistry: await startRegistry("locked") };
  }

  async #stopUnused(): Promise<void> {
    const { kind, daemon } = this.#options;
    if (usersOf(kind).list().length === 0) await daemon.stop();
    const inUse = (["docker", "podman"] as const).some((one) => usersOf(one).list().length > 0);
    if (!inUse) await Promise.all([stopRegistry("open"), stopRegistry("locked")]);
  }
}

function usersOf(kind: EngineKind): Users {
  return new Users(cacheFolder(`${kind}-users`));
}

/** One lock for all engines, as they share the registries. */
async function exclusively<T>(act: () => Promise<T>): Promise<T> {
  return usersOf("docker").exclusively(act);
}
