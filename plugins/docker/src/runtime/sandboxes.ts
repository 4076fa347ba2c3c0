import { setTimeout as delay } from "node:timers/promises";
import { RuntimeError, type SandboxState } from "@interlink/plugin-sdk";
import type { Pod } from "kubernetes-types/core/v1.js";
import type { EngineClient } from "../engine/engine-client.ts";
import { isEngineError, isNameTaken } from "../engine/engine-error.ts";
import { LABELS, ownFilter, sandboxEngineName } from "../pods/labels.ts";
import { memoryVolumes } from "../pods/memory-volumes.ts";
import type { DnsSettings } from "../pods/pod-dns.ts";
import { sandboxConfig } from "../pods/sandbox-config.ts";
import type { ContainerInspection, ContainerSummary, VolumeSummary } from "./engine-types.ts";
import { findHostAddress } from "./host-address.ts";
import { readHostResolver } from "./host-resolver.ts";
import { ensurePauseImage } from "./pause-image.ts";
import { removeContainer } from "./removal.ts";
import { CREATE_INTERVAL_MS, CREATE_TRIES, containerOfName } from "./taken-name.ts";

export interface SandboxesOptions {
  plugin: string;
  network: string;
  /** Instead of the built-in one; must be present in the engine, with a program `/pause`. */
  image?: string;
  dns?: DnsSettings;
  /** Address of the machine, told for pods on its network. Default: found out, if it can be. */
  hostIP?: string;
  /** RuntimeClass to runtime of the engine. */
  runtimeClasses?: Readonly<Record<string, string>>;
}

interface Sandbox {
  id: string;
  podIPs: string[];
  hostNetwork: boolean;
}

/** A sandbox takes SIGTERM at once. */
const STOP_GRACE_SECONDS = 2;

/** The container of each pod that holds its network, its IPC namespace and its volumes in memory. */
export class Sandboxes {
  readonly #engine: EngineClient;
  readonly #options: SandboxesOptions;
  /** By pod UID. Only a shortcut: what is missing is asked for. */
  readonly #known = new Map<string, Sandbox>();
  #image: string | undefined;
  #hostIP: string | undefined;

  constructor(engine: EngineClient, options: SandboxesOptions) {
    this.#engine = engine;
    this.#options = options;
    this.#hostIP = options.hostIP;
  }

  /** Makes the image of sandboxes available. */
  async prepare(signal: AbortSignal): Promise<string> {
    this.#hostIP ??= await findHostAddress(this.#engine.address);
    this.#image ??= this.#options.image ?? (await ensurePauseImage(this.#engine, signal));
    return this.#image;
  }

  async ensure(pod: Pod, signal: AbortSignal): Promise<SandboxState> {
    this.runtime(pod);
    const isPodman = await this.#engine.isPodman();
    for (const { create } of memoryVolumes(this.#options.plugin, pod, isPodman)) {
      await this.#engine.json({ method: "POST", path: "/volumes/create", body: create, signal });
    }
    const id = await this.#create(pod, signal);
    const { podIPs } = await this.#start(pod.metadata?.uid ?? "", id, signal);
    return { podIPs, instance: id };
  }

  /** Id of the pod's sandbox, which is made again if somebody has removed it. */
  async id(pod: Pod, signal: AbortSignal): Promise<string> {
    const uid = pod.metadata?.uid ?? "";
    if (!this.#known.has(uid)) await this.ensure(pod, signal);
    return this.#known.get(uid)?.id ?? sandboxEngineName(pod);
  }

  /** Addresses of the pod in its own network. */
  async podIPs(pod: Pod, signal: AbortSignal): Promise<readonly string[]> {
    const uid = pod.metadata?.uid ?? "";
    if (!this.#known.has(uid)) await this.ensure(pod, signal);
    return this.#known.get(uid)?.podIPs ?? [];
  }

  /** Whether its addresses are known to be right: nothing has been heard of its end since it was started. */
  isKnown(uid: string): boolean {
    return this.#known.has(uid);
  }

  /** Runtime of the engine for the pod's RuntimeClass; throws `RuntimeError` `CreateFailed` if there is none. */
  runtime(pod: Pod): string | undefined {
    const name = pod.spec?.runtimeClassName ?? "";
    if (name === "") return undefined;
    const classes = this.#options.runtimeClasses ?? {};
    if (Object.hasOwn(classes, name)) return classes[name];
    const known = Object.keys(classes).join(", ") || "none";
    throw new RuntimeError(
      "CreateFailed",
      `RuntimeClass "${name}" is not among the runtimeClasses of this plugin (${known}).`,
    );
  }

  /** Ask the engine next time. */
  forget(uid: string): void {
    this.#known.delete(uid);
  }

  /** After the engine was restarted the sandbox has ended, and no container of the pod can start. */
  async revive(uid: string, signal: AbortSignal): Promise<void> {
    for (const id of await this.#find(uid, signal)) await this.#start(uid, id, signal);
  }

  async stop(uid: string, signal: AbortSignal): Promise<void> {
    // Should it run once more (Podman starts it with the next container), then perhaps under another address.
    this.forget(uid);
    for (const id of await this.#find(uid, signal)) {
      try {
        await this.#engine.json({
          method: "POST",
          path: `/containers/${id}/stop`,
          query: { t: STOP_GRACE_SECONDS },
          signal,
          deadlineMs: 30_000,
        });
      } catch (error) {
        if (!isEngineError(error, "not-found")) throw error;
      }
    }
  }

  /** With every container of the pod, and its volumes in memory. */
  async remove(uid: string, signal: AbortSignal): Promise<void> {
    const all = await this.#summaries(uid, signal);
    const order = ({ Labels }: ContainerSummary): number => {
      // Podman removes no container whose processes another one shares.
      if (Labels?.[LABELS.kind] === "ephemeral") return 0;
      // The sandbox last: as long as it is there, a crash leaves something to find the rest by.
      return Labels?.[LABELS.kind] === "sandbox" ? 2 : 1;
    };
    for (const turn of [0, 1, 2]) {
      const group = all.filter((one) => order(one) === turn);
      await Promise.all(group.map(({ Id }) => removeContainer(this.#engine, Id, true, signal)));
    }
    await this.#removeVolumes(uid, signal);
    this.#known.delete(uid);
  }

  /** Where this host reaches the pod's ports. */
  async address(uid: string, signal: AbortSignal): Promise<string | undefined> {
    let sandbox = this.#known.get(uid);
    if (sandbox === undefined) {
      const [id] = await this.#find(uid, signal);
      if (id === undefined) return undefined;
      sandbox = this.#note(uid, await this.#inspect(id, signal));
    }
    return sandbox.hostNetwork ? "127.0.0.1" : sandbox.podIPs[0];
  }

  /** Id of the pod's sandbox. Throws `RuntimeError` `NotRunning` if there is none. */
  async running(uid: string, signal: AbortSignal): Promise<string> {
    const id = this.#known.get(uid)?.id ?? (await this.#find(uid, signal))[0];
    if (id === undefined) throw new RuntimeError("NotRunning", "The pod has no sandbox.");
    return id;
  }

  /** Id and pod UID of each sandbox that runs. */
  async all(signal: AbortSignal): Promise<{ id: string; uid: string }[]> {
    const all = await this.#engine.json<ContainerSummary[]>({
      method: "GET",
      path: "/containers/json",
      query: { filters: ownFilter(this.#options.plugin) },
      signal,
    });
    return all.flatMap(({ Id: id, Labels, State }) => {
      const uid = Labels?.[LABELS.uid];
      const counts = Labels?.[LABELS.kind] === "sandbox" && State === "running";
      return counts && uid !== undefined ? [{ id, uid }] : [];
    });
  }

  async #create(pod: Pod, signal: AbortSignal): Promise<string> {
    const name = sandboxEngineName(pod);
    for (let tries = 1; ; tries++) {
      const image = await this.prepare(signal);
      const runtime = this.runtime(pod);
      try {
        const { Id } = await this.#engine.json<{ Id: string }>({
          method: "POST",
          path: "/containers/create",
          query: { name },
          body: sandboxConfig(pod, {
            ...this.#options,
            image,
            hostResolver: await readHostResolver(),
            ...(runtime !== undefined && { runtime }),
          }),
          signal,
        });
        return Id;
      } catch (error) {
        if (isEngineError(error, "not-found") && this.#options.image === undefined && tries === 1) {
          // Somebody has cleaned up the engine's images.
          this.#image = undefined;
          continue;
        }
        if (!isNameTaken(error)) throw error;
        const id = await this.#existing(name, pod, signal);
        if (id !== undefined) return id;
        if (tries >= CREATE_TRIES) throw error;
        await delay(CREATE_INTERVAL_MS, undefined, { signal });
      }
    }
  }

  /** `undefined`: the name is taken by one that is just being made or removed. */
  async #existing(name: string, pod: Pod, signal: AbortSignal): Promise<string | undefined> {
    const { plugin } = this.#options;
    const isSame = (labels: Readonly<Record<string, string>>): boolean =>
      labels[LABELS.uid] === pod.metadata?.uid;
    const found = await containerOfName(this.#engine, name, plugin, isSame, signal);
    if (found?.State.Status !== "dead") return found?.Id;
    await removeContainer(this.#engine, found.Id, true, signal);
    return undefined;
  }

  async #start(uid: string, id: string, signal: AbortSignal): Promise<Sandbox> {
    await this.#engine.json({ method: "POST", path: `/containers/${id}/start`, signal });
    return this.#note(uid, await this.#inspect(id, signal));
  }

  #note(uid: string, inspected: ContainerInspection): Sandbox {
    const { Id, Config, HostConfig, State, NetworkSettings } = inspected;
    const networks = NetworkSettings?.Networks ?? {};
    const addresses = Object.values(networks).flatMap(({ IPAddress, GlobalIPv6Address }) => [
      IPAddress,
      GlobalIPv6Address,
    ]);
    const hostNetwork = HostConfig?.NetworkMode === "host";
    const podIPs = hostNetwork ? [this.#hostIP] : addresses;
    const sandbox = {
      id: Id,
      podIPs: podIPs.filter((address): address is string => Boolean(address)),
      hostNetwork,
    };
    if (State.Status === "running") this.#known.set(Config.Labels?.[LABELS.uid] ?? uid, sandbox);
    return sandbox;
  }

  async #inspect(idOrName: string, signal: AbortSignal): Promise<ContainerInspection> {
    return this.#engine.json({ method: "GET", path: `/containers/${idOrName}/json`, signal });
  }

  async #find(uid: string, signal: AbortSignal): Promise<string[]> {
    const all = await this.#summaries(uid, signal);
    return all.filter(({ Labels }) => Labels?.[LABELS.kind] === "sandbox").map(({ Id }) => Id);
  }

  async #summaries(uid: string, signal: AbortSignal): Promise<ContainerSummary[]> {
    return this.#engine.json({
      method: "GET",
      path: "/containers/json",
      query: { all: true, filters: ownFilter(this.#options.plugin, uid) },
      signal,
    });
  }

  async #removeVolumes(uid: string, signal: AbortSignal): Promise<void> {
    const { plugin } = this.#options;
    const { Volumes } = await this.#engine.json<{ Volumes: VolumeSummary[] | null }>({
      method: "GET",
      path: "/volumes",
      query: { filters: ownFilter(plugin, uid) },
      signal,
    });
    for (const { Name, Labels } of Volumes ?? []) {
      // Podman gives volumes that bear any of the labels, so also those of other pods.
      if (Labels?.[LABELS.plugin] !== plugin || Labels[LABELS.uid] !== uid) continue;
      try {
        await this.#engine.json({ method: "DELETE", path: `/volumes/${Name}`, signal });
      } catch (error) {
        if (!isEngineError(error, "not-found")) throw error;
      }
    }
  }
}
