import { mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { RuntimeError, writeDurably } from "@interlink/plugin-sdk";
import type { Pod } from "kubernetes-types/core/v1.js";
import {
  assignDevices,
  type DeviceIds,
  type DeviceResource,
  type PodDevices,
  shortageOf,
  wantedDevices,
} from "./inventory.ts";

/** What the file holds. */
interface LedgerFile {
  schemaVersion: 1;
  /** By pod UID. */
  pods: Record<string, PodDevices>;
}

/**
 * Who has which device, on disk before anybody is told: no unit is ever given to two pods, whenever the plugin dies.
 * One process at a time has the file.
 */
export class DeviceLedger {
  readonly #file: string;
  readonly #inventory: readonly DeviceResource[];
  readonly #pods: Map<string, PodDevices>;
  #writing: Promise<void> = Promise.resolve();

  private constructor(
    file: string,
    inventory: readonly DeviceResource[],
    pods: Map<string, PodDevices>,
  ) {
    this.#file = file;
    this.#inventory = inventory;
    this.#pods = pods;
  }

  /** Throws a sentence if the file is damaged: guessing could give a device to two pods. */
  static async open(file: string, inventory: readonly DeviceResource[]): Promise<DeviceLedger> {
    let text: string | undefined;
    try {
      text = await readFile(file, "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
    return new DeviceLedger(file, inventory, readLedger(file, text));
  }

  /** UIDs of the pods that have something. */
  holders(): string[] {
    return [...this.#pods.keys()];
  }

  /** What a container has; `{}` if nothing. */
  of(uid: string, container: string): DeviceIds {
    return this.#pods.get(uid)?.[container] ?? {};
  }

  /**
   * Gives the pod what its containers ask for; the same each time. Durable when it resolves. Throws `RuntimeError`
   * `CreateFailed` when other pods have too much of it now.
   */
  async assign(pod: Pod): Promise<void> {
    const uid = pod.metadata?.uid ?? "";
    const containers = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
    if (this.#pods.has(uid) || containers.every((one) => wantedDevices(one).size === 0)) {
      return this.#writing;
    }
    const assigned = assignDevices(pod, this.#free());
    const shortage = shortageOf(assigned);
    if (shortage !== undefined) {
      const { resource, requested, available } = shortage;
      throw new RuntimeError(
        "CreateFailed",
        `Allocate failed due to requested number of devices unavailable for ${resource}. Requested: ${requested}, Available: ${available}; the pod waits for others to end.`,
      );
    }
    this.#pods.set(uid, assigned as PodDevices);
    try {
      await this.#write();
    } catch (error) {
      this.#pods.delete(uid);
      throw error;
    }
  }

  /** The pod needs its devices no more. */
  async release(uid: string): Promise<void> {
    const devices = this.#pods.get(uid);
    if (devices === undefined) return;
    this.#pods.delete(uid);
    try {
      await this.#write();
    } catch (error) {
      // The caller tries again; until then nobody else has them.
      this.#pods.set(uid, devices);
      throw error;
    }
  }

  #free(): DeviceIds {
    const taken = new Set<string>();
    for (const pod of this.#pods.values()) {
      for (const devices of Object.values(pod)) {
        for (const [resource, ids] of Object.entries(devices)) {
          for (const id of ids) taken.add(`${resource} ${id}`);
        }
      }
    }
    return Object.fromEntries(
      this.#inventory.map(({ resource, units }) => [
        resource,
        units.map(({ id }) => id).filter((id) => !taken.has(`${resource} ${id}`)),
      ]),
    );
  }

  /** One after the other; each writes what counts when its turn comes. */
  async #write(): Promise<void> {
    const mine = this.#writing.catch(() => undefined).then(() => this.#save());
    this.#writing = mine;
    await mine;
  }

  async #save(): Promise<void> {
    const content: LedgerFile = { schemaVersion: 1, pods: Object.fromEntries(this.#pods) };
    await mkdir(dirname(this.#file), { recursive: true, mode: 0o700 });
    await writeDurably(this.#file, `${JSON.stringify(content)}\n`);
  }
}

function readLedger(file: string, text: string | undefined): Map<string, PodDevices> {
  if (text === undefined) return new Map();
  try {
    const { schemaVersion, pods } = JSON.parse(text) as Partial<LedgerFile>;
    if (schemaVersion !== 1 || typeof pods !== "object" || pods === null) {
      throw new Error("it is of an unknown form");
    }
    return new Map(Object.entries(pods));
  } catch (cause) {
    throw new Error(
      `The record of who has which device, ${file}, cannot be read. When no pod with devices runs any more, delete it.`,
      { cause },
    );
  }
}
