import type { Logger } from "pino";
import type { SlurmClient } from "../commands/slurm-client.ts";
import { type ControllerSettings, parseSettings } from "../slurm/controller-settings.ts";

/** Kubernetes' own, for a pod that names none. */
export const DEFAULT_GRACE_SECONDS = 30;

/** What Slurm tells of its settings: asked for at the start, and again while a Slurm that was away then has not told. */
export class Controller {
  /** The usual ones, until they are known; the same object then. */
  readonly settings: ControllerSettings = parseSettings("");
  readonly #client: Pick<SlurmClient, "settings">;
  readonly #logger: Logger;
  #isKnown = false;

  constructor(client: Pick<SlurmClient, "settings">, logger: Logger) {
    this.#client = client;
    this.#logger = logger;
  }

  /** Asks, if they are not known. Never throws. */
  async learn(signal?: AbortSignal): Promise<void> {
    if (this.#isKnown) return;
    try {
      const told = await this.#client.settings(signal);
      this.#isKnown = true;
      Object.assign(this.settings, told);
      this.#logger.info({ slurm: told.version, accounting: told.hasAccounting }, "Slurm answers");
      const warning = killWaitWarning(told, DEFAULT_GRACE_SECONDS);
      if (warning !== undefined) this.#logger.warn(warning);
    } catch (error) {
      this.#logger.warn(
        { err: error },
        "Slurm does not tell its settings now; the usual ones are taken",
      );
    }
  }
}

/** What a grace period longer than `KillWait` means; `undefined`: the two agree. */
export function killWaitWarning(
  { killWaitSeconds }: Pick<ControllerSettings, "killWaitSeconds">,
  graceSeconds: number,
): string | undefined {
  if (killWaitSeconds === undefined || graceSeconds <= killWaitSeconds) return undefined;
  return `Slurm's KillWait of ${killWaitSeconds} s is shorter than the grace period of ${graceSeconds} s: at a time limit or a preemption containers are killed ${killWaitSeconds} s after they were asked to end. Deletes keep the grace period.`;
}
