import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import {
  type ContainerHandle,
  type ContainerSpec,
  type CreatedContainer,
  RuntimeError,
  unlessAborted,
} from "@interlink/plugin-sdk";
import type { Container } from "kubernetes-types/core/v1.js";
import type { Devices } from "../devices/devices.ts";
import type { EngineClient } from "../engine/engine-client.ts";
import { isEngineError, isNameTaken } from "../engine/engine-error.ts";
import type { ImageStore } from "../images/image-store.ts";
import {
  type ContainerOptions,
  containerConfig,
  type LogConfig,
} from "../pods/container-config.ts";
import { hasHostsFile, hostsFile } from "../pods/hosts-file.ts";
import { containerEngineName, identityOf } from "../pods/labels.ts";
import { localSeccompProfile, neededProfiles, needsImageUser } from "../pods/security.ts";
import type { PodFiles } from "../remote/pod-files.ts";
import { type ClaimRule, claimedVolumes } from "../volumes/claim-rules.ts";
import type { MountKeeper } from "../volumes/mount-keeper.ts";
import type { OwnSteps } from "./container-list.ts";
import type { DiskLimits } from "./disk-limits.ts";
import type { ContainerInspection } from "./engine-types.ts";
import { exitCodeOfFailedStart } from "./failed-start.ts";
import type { FailedStart } from "./observe.ts";
import { ProfileSupport } from "./profile-support.ts";
import { removeContainer } from "./removal.ts";
import type { Sandboxes } from "./sandboxes.ts";
import { readSeccompProfile } from "./seccomp-profile.ts";
import { CREATE_INTERVAL_MS, CREATE_TRIES, containerOfName } from "./taken-name.ts";

export interface ContainersOptions {
  plugin: string;
  log: LogConfig;
  clusterDomain?: string;
  /** Directory of the seccomp profiles that pods may name. */
  seccompProfiles?: string;
  claims?: readonly ClaimRule[];
  /** Where the engine does not see the files of this machine; known once the engine was asked. */
  files?: () => PodFiles | undefined;
  /** Without it what is mounted may have been exchanged since it was checked. */
  mounts?: MountKeeper;
  /** Why a container may not run here, as a sentence. */
  refuses?: (container: Container) => string | undefined;
  devices?: Pick<Devices, "forContainer">;
  /** Bytes of the engine's machine, for scores by which the kernel chooses; without it there are none. */
  machineMemory?: () => number | undefined;
  /** Default: containers may write as much as they like. */
  disk?: DiskLimits;
}

const START_DEADLINE_MS = 120_000;
/** Beyond the grace period: for the kill, and for the engine's own work. */
const STOP_EXTRA_MS = 60_000;

/** Making, starting, stopping and removing single attempts of containers. */
export class Containers implements OwnSteps {
  readonly #engine: EngineClient;
  readonly #sandboxes: Sandboxes;
  readonly #images: ImageStore;
  readonly #options: ContainersOptions;
  readonly #profiles: ProfileSupport;
  /** Made by this process and never asked to start. */
  readonly #fresh = new Set<string>();
  /** What those were made of that have not been started. */
  readonly #created = new Map<string, ContainerSpec>();
  readonly #stopped = new Set<string>();
  /** Another process would hear the same from the engine when it tries to start them. */
  readonly #failed = new Map<string, FailedStart>();
  readonly #starting = new Map<string, Promise<void>>();
  /** For what must not be given up half-way; each request still has its deadline. */
  readonly #never = new AbortController();

  constructor(
    engine: EngineClient,
    sandboxes: Sandboxes,
    images: ImageStore,
    options: ContainersOptions,
  ) {
    this.#engine = engine;
    this.#sandboxes = sandboxes;
    this.#images = images;
    this.#options = options;
    this.#profiles = new ProfileSupport(engine);
  }

  /** Whether it can be nothing but created, without asking. */
  isFresh(id: string): boolean {
    return this.#fresh.has(id) || this.#starting.has(id);
  }

  /** Whether this process has asked it to stop. */
  wasStopped(id: string): boolean {
    return this.#stopped.has(id);
  }

  failedStart(id: string): FailedStart | undefined {
    return this.#failed.get(id);
  }

  async create(spec: ContainerSpec, signal: AbortSignal): Promise<CreatedContainer> {
    const { pod, container, attempt } = spec;
    const problem = this.#options.refuses?.(container);
    if (problem !== undefined) throw new RuntimeError("InvalidConfig", problem);
    const name = containerEngineName(pod, container.name, attempt);
    const isPodman = await this.#engine.isPodman();
    const asksImage =
      isPodman || needsImageUser(pod, spec.securityContext ?? container.securityContext);
    const securityContext = spec.securityContext ?? container.securityContext;
    await this.#profiles.check(neededProfiles(pod, securityContext), signal);
    const profile = localSeccompProfile(pod, securityContext);
    const runtime = this.#sandboxes.runtime(pod);
    const { claims = [] } = this.#options;
    const assigned = this.#options.devices?.forContainer(pod.metadata?.uid ?? "", container.name);
    const hasRecursiveReadOnly = !isPodman && (await this.#engine.isAtLeast("1.44"));
    const volumes = claimedVolumes(pod, claims);
    const hosts = hasHostsFile(pod) ? await this.#writeHosts(spec, signal) : undefined;
    const files = this.#options.files?.();
    const placed = await files?.place(spec, hosts, (name) => volumes.has(name), signal);
    const hostsFile = placed === undefined ? hosts : placed.hostsFile;
    const mounted = placed?.spec ?? spec;
    // What was copied lies where nobody but this plugin and the engine mount anything.
    const keep = async () =>
      placed === undefined ? this.#options.mounts?.keep(spec, hasRecursiveReadOnly) : undefined;
    let kept = await keep();
    const options: ContainerOptions = {
      ...this.#options,
      sandbox: await this.#sandboxes.id(pod, signal),
      isPodman,
      hasRecursiveReadOnly,
      ...(hostsFile !== undefined && { hostsFile }),
      isCopied: placed !== undefined,
      ...(profile !== undefined && {
        seccompProfile: await readSeccompProfile(this.#options.seccompProfiles, profile, isPodman),
      }),
      ...(runtime !== undefined && { runtime }),
      volumes,
      machineMemory: this.#options.machineMemory?.(),
      devices: assigned?.devices ?? {},
      extraEnv: assigned?.env ?? [],
      ...(asksImage && { image: await this.#images.defaults(spec.imageID, signal) }),
    };
    let storage = await this.#options.disk?.options(container, spec.imageID, signal);
    const handle = { uid: pod.metadata?.uid ?? "", containerName: container.name, attempt };
    for (let tries = 1; ; tries++) {
      try {
        const { Id } = await this.#engine.json<{ Id: string }>({
          method: "POST",
          path: "/containers/create",
          query: { name },
          body: containerConfig(mounted, {
            ...options,
            ...(kept && { kept }),
            ...(storage && { storage }),
          }),
          signal,
        });
        this.#fresh.add(Id);
        if (hasHostsFile(pod)) this.#created.set(Id, spec);
        return { ...handle, id: Id };
      } catch (error) {
        if (
          (await this.#options.mounts?.isUnseen(error, handle.uid)) === true &&
          tries < CREATE_TRIES
        ) {
          kept = await keep();
          continue;
        }
        if (storage?.StorageOpt !== undefined && this.#options.disk?.isRefusal(error) === true) {
          storage = undefined;
          continue;
        }
        if (!isNameTaken(error)) throw error;
        const id = await this.#existing(name, handle, signal);
        if (id !== undefined) {
          if (hasHostsFile(pod)) this.#created.set(id, spec);
          return { ...handle, id };
        }
        if (tries >= CREATE_TRIES) throw error;
        await delay(CREATE_INTERVAL_MS, undefined, { signal });
      }
    }
  }

  /**
   * The engine would run an ended container once more, so it is asked first; and a start that is under way is never
   * abandoned, only no longer waited for.
   */
  async start({ id, uid }: ContainerHandle, signal: AbortSignal): Promise<void> {
    let starting = this.#starting.get(id);
    if (starting === undefined) {
      starting = this.#startOnce(id, uid).finally(() => this.#starting.delete(id));
      this.#starting.set(id, starting);
    }
    await unlessAborted(starting, signal);
  }

  async stop(handle: ContainerHandle, graceSeconds: number, signal: AbortSignal): Promise<void> {
    const { id } = handle;
    this.#stopped.add(id);
    const starting = this.#starting.get(id);
    if (starting !== undefined) {
      // Stopping what is half started would find nothing to stop. Its own caller hears of its failure.
      await unlessAborted(
        starting.catch(() => undefined),
        signal,
      );
    }
    const seconds = Math.max(0, Math.ceil(graceSeconds));
    try {
      if (this.#fresh.has(id)) return await this.#discard(id, signal);
      const { Status } = (await this.#inspect(id, signal)).State;
      if (Status === "created") return await this.#discard(id, signal);
      await this.#engine.json({
        method: "POST",
        path: `/containers/${id}/stop`,
        query: { t: seconds },
        signal,
        deadlineMs: seconds * 1000 + STOP_EXTRA_MS,
      });
    } catch (error) {
      if (!isEngineError(error, "not-found")) throw error;
    }
  }

  async remove(handle: ContainerHandle, signal: AbortSignal): Promise<void> {
    const { id } = handle;
    try {
      await removeContainer(this.#engine, id, false, signal);
    } catch (error) {
      // Podman: an ephemeral container shared its processes; both go with the pod.
      if (!isEngineError(error) || !/has dependent containers/.test(error.message)) throw error;
    }
    await this.#options.mounts?.release(handle);
    this.#fresh.delete(id);
  }

  /** Forgets what is known of containers that no longer exist. */
  retain(ids: ReadonlySet<string>): void {
    for (const id of this.#fresh) if (!ids.has(id)) this.#fresh.delete(id);
    for (const id of this.#stopped) if (!ids.has(id)) this.#stopped.delete(id);
    for (const id of this.#created.keys()) if (!ids.has(id)) this.#created.delete(id);
    for (const id of this.#failed.keys()) if (!ids.has(id)) this.#failed.delete(id);
  }

  /** One that never ran cannot be stopped, but it could still be started; so it goes. */
  async #discard(id: string, signal: AbortSignal): Promise<void> {
    await removeContainer(this.#engine, id, false, signal);
    this.#fresh.delete(id);
  }

  async #startOnce(id: string, uid: string): Promise<void> {
    const signal = this.#never.signal;
    if (!this.#fresh.has(id)) {
      const { State } = await this.#inspect(id, signal);
      if (State.Status !== "created") return;
    }
    this.#fresh.delete(id);
    this.#failed.delete(id);
    const spec = this.#created.get(id);
    this.#created.delete(id);
    // Its sandbox has ended since, and may come back with another address.
    if (spec !== undefined && !this.#sandboxes.isKnown(uid)) {
      const file = await this.#writeHosts(spec, signal);
      await this.#options.files?.()?.renew(uid, file, signal);
    }
    try {
      await this.#sendStart(id, signal);
    } catch (error) {
      if (!isEngineError(error) || error.code === "unreachable") throw error;
      if (/non.running container/i.test(error.message)) {
        await this.#sandboxes.revive(uid, signal);
        return this.#sendStart(id, signal);
      }
      this.#sandboxes.forget(uid);
      await this.#judgeFailedStart(id, error, signal);
    }
  }

  /** One for each attempt, as the pod's address may have changed since the last one. */
  async #writeHosts({ pod, directory }: ContainerSpec, signal: AbortSignal): Promise<string> {
    const podIPs = await this.#sandboxes.podIPs(pod, signal);
    const file = join(directory, "hosts");
    await writeFile(file, hostsFile(pod, podIPs, this.#options.clusterDomain), { mode: 0o644 });
    await chmod(file, 0o644);
    return file;
  }

  async #sendStart(id: string, signal: AbortSignal): Promise<void> {
    await this.#engine.json({
      method: "POST",
      path: `/containers/${id}/start`,
      signal,
      deadlineMs: START_DEADLINE_MS,
    });
  }

  /** The attempt is over, unless it did start in spite of the error. */
  async #judgeFailedStart(id: string, failure: Error, signal: AbortSignal): Promise<void> {
    const { State } = await this.#inspect(id, signal);
    if (State.Status === "running") return;
    const exitCode = State.ExitCode !== 0 ? State.ExitCode : exitCodeOfFailedStart(failure.message);
    const code = exitCode === undefined ? {} : { exitCode };
    this.#failed.set(id, { message: failure.message, ...code });
    throw new RuntimeError("StartFailed", failure.message, { cause: failure, ...code });
  }

  /** `undefined`: the name is taken by one that is just being made or removed. */
  async #existing(
    name: string,
    { uid, containerName, attempt }: Omit<ContainerHandle, "id">,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const isSame = (labels: Readonly<Record<string, string>>): boolean => {
      const identity = identityOf(labels);
      return (
        identity?.kind === "container" &&
        identity.uid === uid &&
        identity.containerName === containerName &&
        identity.attempt === attempt
      );
    };
    const { plugin } = this.#options;
    return (await containerOfName(this.#engine, name, plugin, isSame, signal))?.Id;
  }

  async #inspect(idOrName: string, signal: AbortSignal): Promise<ContainerInspection> {
    return this.#engine.json({ method: "GET", path: `/containers/${idOrName}/json`, signal });
  }
}
