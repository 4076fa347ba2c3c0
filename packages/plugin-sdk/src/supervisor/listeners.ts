import type { Logger } from "pino";
import type { ProviderListener } from "../provider.ts";

interface AboutPod {
  UID: string;
  name: string;
  namespace: string;
  JID?: string;
}

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

  status: ProviderListener["status"] = (status) => this.#each(status, (one) => one.status(status));
  gone: ProviderListener["gone"] = (pod) => this.#each(pod, (one) => one.gone(pod));
  event: ProviderListener["event"] = (event) => this.#each(event, (one) => one.event(event));

  #each({ UID, name, namespace, JID }: AboutPod, tell: (listener: ProviderListener) => void): void {
    for (const listener of this.#all) {
      try {
        tell(listener);
      } catch (error) {
        const job = JID ? { job: JID } : {};
        const about = { uid: UID, pod: `${namespace}/${name}`, ...job };
        this.#logger.error({ ...about, err: error }, "a listener failed");
      }
    }
  }
}
