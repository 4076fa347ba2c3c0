import type { Pod } from "kubernetes-types/core/v1.js";
import type { Logger } from "pino";
import type { EngineClient } from "../engine/engine-client.ts";
import { LABELS } from "../pods/labels.ts";
import { completeInventory } from "./complete-inventory.ts";
import { DeviceLedger } from "./device-ledger.ts";
import { deviceEnvironment, type EngineDevices, engineDevices } from "./engine-devices.ts";
import {
  type DeviceResource,
  type DeviceSetting,
  deviceCapacity,
  deviceProblem,
} from "./inventory.ts";

export interface DevicesOptions {
  engine: EngineClient;
  settings: readonly DeviceSetting[];
  /** Remembers who has which. */
  file: string;
  /** Whether there is a job of this pod. Default: there is one of every pod. */
  hasJob?: (uid: string) => boolean;
  logger: Logger;
}

/** The devices of the site: which there are, and who has them. */
export class Devices {
  readonly #options: DevicesOptions;
  #inventory: readonly DeviceResource[] = [];
  #ledger: DeviceLedger | undefined;

  constructor(options: DevicesOptions) {
    this.#options = options;
  }

  /** Looks for what the operator has not listed. Throws a sentence if the record of who has what is damaged. */
  async start(signal: AbortSignal): Promise<void> {
    const { engine, settings, file, logger } = this.#options;
    const { inventory, problems } = await completeInventory(settings, engine, signal);
    for (const problem of problems) logger.warn(problem);
    for (const { resource, units } of inventory) {
      logger.info({ resource, units: units.map(({ id }) => id) }, "devices for pods");
    }
    this.#inventory = inventory;
    this.#ledger = await DeviceLedger.open(file, inventory);
    await this.#releaseForgotten(this.#ledger, signal);
  }

  /** Of a pod whose job somebody has removed nobody would ever give the devices back. */
  async #releaseForgotten(ledger: DeviceLedger, signal: AbortSignal): Promise<void> {
    const { engine, logger, hasJob = () => true } = this.#options;
    for (const uid of ledger.holders().filter((holder) => !hasJob(holder))) {
      const left = await engine.json<unknown[]>({
        method: "GET",
        path: "/containers/json",
        query: { all: true, filters: { label: [`${LABELS.uid}=${uid}`] } },
        signal,
      });
      // What is left of it is removed as of no job, and then its devices come back.
      if (left.length > 0) continue;
      logger.warn({ uid }, "a pod that is no more held devices: they are free again");
      await ledger.release(uid);
    }
  }

  /** Resource to amount, as a node tells it. */
  capacity(): Record<string, string> {
    return deviceCapacity(this.#inventory);
  }

  /** Why the pod can never have its devices here; `undefined` if it can. */
  problem(pod: Pod): string | undefined {
    return deviceProblem(pod, this.#inventory);
  }

  /** As `DeviceLedger.assign`. */
  async assign(pod: Pod): Promise<void> {
    await this.#ledger?.assign(pod);
  }

  /** The pod needs its devices no more. */
  async release(uid: string): Promise<void> {
    await this.#ledger?.release(uid);
  }

  /** How the engine is to give a container what it was assigned, and variables that take the place of its own. */
  forContainer(
    uid: string,
    container: string,
  ): { devices: EngineDevices; env: { name: string; value: string }[] } {
    const assigned = this.#ledger?.of(uid, container) ?? {};
    return {
      devices: engineDevices(this.#inventory, assigned),
      env: deviceEnvironment(this.#inventory, assigned),
    };
  }
}
