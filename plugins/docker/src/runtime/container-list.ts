import type { ObservedContainer } from "@interlink/plugin-sdk";
import type { EngineClient } from "../engine/engine-client.ts";
import { isEngineError } from "../engine/engine-error.ts";
import { type Identity, identityOf, ownFilter } from "../pods/labels.ts";
import type { ContainerInspection, ContainerSummary } from "./engine-types.ts";
import type { KernelLog } from "./kernel-log.ts";
import { type FailedStart, observe } from "./observe.ts";
import { OomNotes } from "./oom-notes.ts";

/** What is known of a container, and the engine's state word that it was learned at. */
interface Known {
  at: string;
  container: ObservedContainer;
}

/** What this process itself has done to a container. */
export interface OwnSteps {
  /** Made by this process and never asked to start: then it can only be created. */
  isFresh(id: string): boolean;
  /** Asked to stop by this process. */
  wasStopped(id: string): boolean;
  /** Why this process could not start it. */
  failedStart(id: string): FailedStart | undefined;
}

/** What the engine's list says of a container that has its namespaces. */
const RUNNING: ReadonlySet<string> = new Set(["running", "paused", "restarting"]);
/** 128 + SIGKILL. */
const KILLED = 137;

/** Does what must be done before anybody hears that the container has ended. */
type Ended = (container: ObservedContainer, signal: AbortSignal) => Promise<void>;

/**
 * The containers of this plugin in one question. Details (times, exit code) are asked once for each container when its
 * state has changed: a running one's start does not change any more, nor does anything of an ended one.
 */
export class ContainerList {
  readonly #engine: EngineClient;
  readonly #plugin: string;
  readonly #own: OwnSteps;
  readonly #kernel: Pick<KernelLog, "ranOut">;
  readonly #ended: Ended;
  readonly #oom = new OomNotes();
  readonly #known = new Map<string, Known>();
  /** Containers that had ended when their pod's sandbox was known not to run: they need not be asked about once more. */
  readonly #orphans = new Set<string>();
  /** Containers that have changed since they were looked at. */
  readonly #changed = new Set<string>();

  constructor(
    engine: EngineClient,
    plugin: string,
    own: OwnSteps,
    kernel: Pick<KernelLog, "ranOut">,
    ended: Ended = () => Promise.resolve(),
  ) {
    this.#engine = engine;
    this.#plugin = plugin;
    this.#own = own;
    this.#kernel = kernel;
    this.#ended = ended;
  }

  /**
   * The container has started or ended: look at it, whatever the engine's list says. The engine tells of an end a moment
   * before its list shows it, but an inspection waits for it.
   */
  noteChange(id: string): void {
    this.#changed.add(id);
  }

  /** The engine has said that the container ran out of memory. */
  noteOom(id: string): void {
    this.#oom.note(id);
  }

  async list(signal: AbortSignal, only?: ReadonlySet<string>): Promise<ObservedContainer[]> {
    const [single] = only?.size === 1 ? only : [];
    const summaries = await this.#summaries(single, signal);
    const observed = await Promise.all(
      summaries.map((summary) => this.#observe(summary, only, signal)),
    );
    if (single === undefined) this.#forgetAllBut(new Set(summaries.map(({ Id }) => Id)));
    const containers = observed.filter((container) => container !== undefined);
    return this.#markOrphans(containers, podsWithSandbox(summaries), single, signal);
  }

  /** A sandbox may have been made while the list was, so those that seem to have none are asked about once more. */
  async #markOrphans(
    containers: ObservedContainer[],
    sandboxed: ReadonlySet<string>,
    single: string | undefined,
    signal: AbortSignal,
  ): Promise<ObservedContainer[]> {
    const hasNone = ({ uid, state }: ObservedContainer): boolean =>
      (state === "running" || state === "exited") && !sandboxed.has(uid);
    const later = containers.some((one) => hasNone(one) && !this.#orphans.has(one.id))
      ? podsWithSandbox(await this.#summaries(single, signal))
      : sandboxed;
    return containers.map((container) => {
      const { id, uid, state } = container;
      if (!hasNone(container) || later.has(uid)) return container;
      if (state === "exited") this.#orphans.add(id);
      return { ...container, hasLostSandbox: true };
    });
  }

  async #summaries(uid: string | undefined, signal: AbortSignal): Promise<ContainerSummary[]> {
    return this.#engine.json<ContainerSummary[]>({
      method: "GET",
      path: "/containers/json",
      query: { all: true, filters: ownFilter(this.#plugin, uid) },
      signal,
    });
  }

  async #observe(
    { Id, Labels, State }: ContainerSummary,
    only: ReadonlySet<string> | undefined,
    signal: AbortSignal,
  ): Promise<ObservedContainer | undefined> {
    const identity = identityOf(Labels ?? {});
    if (identity?.kind !== "container") return undefined;
    if (only !== undefined && !only.has(identity.uid)) return undefined;
    const known = this.#known.get(Id);
    if (known?.at === State && !this.#changed.has(Id)) return known.container;
    if (State === "created" && this.#own.isFresh(Id)) return created(identity, Id);
    const inspection = await this.#inspect(Id, signal);
    if (inspection === undefined) return undefined;
    const seen = observe(identity, inspection, this.#own.failedStart(Id));
    const container = await this.#explainEnd(inspection, seen, signal);
    if (container.state === "exited") await this.#ended(container, signal);
    // It may have moved on since the list was made; then the word of the inspection counts next time.
    const settled = container.state === "running" || container.state === "exited";
    if (settled) this.#known.set(Id, { at: inspection.State.Status, container });
    return container;
  }

  /** A container with a memory limit that has ended may have run out of memory without the engine's having noted it. */
  async #explainEnd(
    { Id, HostConfig }: ContainerInspection,
    container: ObservedContainer,
    signal: AbortSignal,
  ): Promise<ObservedContainer> {
    const limited = (HostConfig?.Memory ?? 0) > 0;
    if (container.state !== "exited" || !limited || container.oomKilled) return container;
    return (await this.#ranOut(Id, container, signal))
      ? { ...container, oomKilled: true }
      : container;
  }

  async #ranOut(
    id: string,
    { exitCode }: ObservedContainer,
    signal: AbortSignal,
  ): Promise<boolean> {
    if (await this.#engine.isPodman()) return this.#kernel.ranOut(id);
    // Docker says so a moment later at the latest; it is waited for if nobody is known to have killed it.
    return exitCode === KILLED && !this.#own.wasStopped(id) && this.#oom.ranOut(id, signal);
  }

  /** `undefined`: it has been removed since the list was made. */
  async #inspect(id: string, signal: AbortSignal): Promise<ContainerInspection | undefined> {
    const changed = this.#changed.delete(id);
    try {
      return await this.#engine.json<ContainerInspection>({
        method: "GET",
        path: `/containers/${id}/json`,
        signal,
      });
    } catch (error) {
      if (isEngineError(error, "not-found")) return undefined;
      if (changed) this.#changed.add(id);
      throw error;
    }
  }

  #forgetAllBut(ids: ReadonlySet<string>): void {
    for (const id of this.#known.keys()) if (!ids.has(id)) this.#known.delete(id);
    for (const id of this.#changed) if (!ids.has(id)) this.#changed.delete(id);
    for (const id of this.#orphans) if (!ids.has(id)) this.#orphans.delete(id);
    this.#oom.forgetAllBut(ids);
  }
}

/** UIDs of the pods whose sandbox runs. */
function podsWithSandbox(summaries: readonly ContainerSummary[]): Set<string> {
  return new Set(
    summaries.flatMap(({ Labels, State }) => {
      const identity = identityOf(Labels ?? {});
      return identity?.kind === "sandbox" && RUNNING.has(State) ? [identity.uid] : [];
    }),
  );
}

function created(identity: Identity & { kind: "container" }, id: string): ObservedContainer {
  const { uid, containerName, attempt, imageID } = identity;
  return {
    uid,
    containerName,
    attempt,
    id,
    state: "created",
    ...(imageID !== undefined && { imageID }),
  };
}
