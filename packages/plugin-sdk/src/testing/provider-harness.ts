import { allRemoteStatuses, type RemotePodEvent, type RemotePodStatus } from "@interlink/protocol";
import type { Provider } from "../provider.ts";
import type { ContainerProviderOptions } from "../supervisor/container-provider.ts";
import { createContainerProvider } from "../supervisor/container-provider.ts";
import { eventually } from "./eventually.ts";
import { FakeRuntime } from "./fake-runtime.ts";
import { ManualClock } from "./manual-clock.ts";
import { silentLogger } from "./recording-logger.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

/** A container provider on a fake engine, a clock that tests move, and what it has told. */
export class ProviderHarness implements AsyncDisposable {
  readonly clock = new ManualClock();
  readonly runtime = new FakeRuntime(this.clock);
  readonly statuses: RemotePodStatus[] = [];
  readonly events: RemotePodEvent[] = [];
  readonly gone: string[] = [];
  readonly signal = new AbortController().signal;
  readonly #directory: AsyncDisposable & { path: string };
  readonly #options: Partial<ContainerProviderOptions>;
  provider!: Provider;

  private constructor(
    directory: AsyncDisposable & { path: string },
    options: Partial<ContainerProviderOptions>,
  ) {
    this.#directory = directory;
    this.#options = options;
  }

  static async start(options: Partial<ContainerProviderOptions> = {}): Promise<ProviderHarness> {
    const harness = new ProviderHarness(await temporaryDirectory(), options);
    await harness.open();
    return harness;
  }

  /** A new life of the plugin on the same engine and directory. */
  async restart(): Promise<void> {
    await this.provider.close?.();
    await this.open();
  }

  async open(): Promise<void> {
    this.provider = createContainerProvider({
      name: "fake",
      runtime: this.runtime,
      root: this.#directory.path,
      logger: silentLogger,
      clock: this.clock,
      random: () => 0,
      ...this.#options,
    });
    this.provider.subscribe?.({
      status: (status) => this.statuses.push(status),
      gone: ({ UID }) => this.gone.push(UID),
      event: (event) => this.events.push(event),
    });
    await this.provider.start?.(this.signal);
  }

  /** Until `probe` holds, letting short times pass (never the long ones of back-offs and graces). */
  async until<T>(
    what: string,
    probe: () => T | undefined | false | Promise<T | undefined | false>,
  ): Promise<T> {
    return eventually(what, () => {
      this.clock.advance(1);
      return probe();
    });
  }

  async status(uid: string): Promise<RemotePodStatus | undefined> {
    const all = await this.provider.status("all", this.signal);
    return all.find(({ UID }) => UID === uid);
  }

  /** The reason of the container's state: `running`, or the waiting or terminated reason. */
  async state(uid: string, container: string): Promise<string | undefined> {
    const status = await this.status(uid);
    const own = status === undefined ? [] : allRemoteStatuses(status);
    const state = own.find(({ name }) => name === container)?.state;
    if (state?.running !== undefined) return "running";
    return state?.waiting?.reason ?? state?.terminated?.reason;
  }

  reasons(): string[] {
    return this.events.map(({ reason }) => reason);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.provider.close?.();
    await this.#directory[Symbol.asyncDispose]();
  }
}
