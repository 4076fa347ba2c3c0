import type { Logger } from "pino";
import type { ProviderListener } from "../provider.ts";

/** Tells everyone who listens; one that throws does not keep the news from the others. */
export class Listeners implements ProviderListener {
  readonly #all = new Set<ProviderListener>();
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  add(listener: ProviderListener): () => void {
    this.#all.add(listener);
    return () => this.#all.delete(listener);
  }

  status: ProviderListener["status"] = (status) => this.#each((one) => one.status(status));
  gone: ProviderListener["gone"] = (pod) => this.#each((one) => one.gone(pod));
  event: ProviderListener["event"] = (event) => this.#each((one) => one.event(event));

  #each(tell: (listener: ProviderListener) => void): void {
    for (const listener of this.#all) {
      try {
        tell(listener);
      } catch (error) {
        this.#logger.error({ err: error }, "a listener failed");
      }
    }
  }
}
