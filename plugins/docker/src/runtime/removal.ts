import { setTimeout as delay } from "node:timers/promises";
import type { EngineClient } from "../engine/engine-client.ts";
import { EngineError, isEngineError } from "../engine/engine-error.ts";

const GONE_DEADLINE_MS = 30_000;
const GONE_INTERVAL_MS = 100;

/**
 * Removes a container with its anonymous volumes; `force` kills it first. Resolves when it is really gone, also when
 * somebody else is removing it. Throws `EngineError` `conflict` if it runs and `force` is not set.
 */
export async function removeContainer(
  engine: EngineClient,
  id: string,
  force: boolean,
  signal: AbortSignal,
): Promise<void> {
  const end = Date.now() + GONE_DEADLINE_MS;
  for (;;) {
    try {
      await engine.json({
        method: "DELETE",
        path: `/containers/${id}`,
        query: { v: true, force },
        signal,
        deadlineMs: GONE_DEADLINE_MS,
      });
      return;
    } catch (error) {
      if (isEngineError(error, "not-found")) return;
      const underWay =
        isEngineError(error, "conflict") && /already in progress/i.test(error.message);
      if (!underWay) throw error;
      if (Date.now() > end) {
        throw new EngineError("engine", `The engine does not finish removing container ${id}.`, {
          cause: error,
        });
      }
    }
    await delay(GONE_INTERVAL_MS, undefined, { signal });
  }
}
