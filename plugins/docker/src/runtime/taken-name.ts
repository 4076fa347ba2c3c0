import { RuntimeError } from "@interlink/plugin-sdk";
import type { EngineClient } from "../engine/engine-client.ts";
import { isEngineError } from "../engine/engine-error.ts";
import { LABELS } from "../pods/labels.ts";
import type { ContainerInspection } from "./engine-types.ts";

/** How often, and after which pause, a create is tried whose name is taken by one that is just being made or removed. */
export const CREATE_TRIES = 20;
export const CREATE_INTERVAL_MS = 100;

/**
 * The container that has the name of one that was to be made: the same one, from a create whose answer was lost.
 * `undefined`: it is just being made or removed. Throws `RuntimeError` `CreateFailed` for any other one. `isSame` is
 * asked about the labels of one that this plugin has made.
 */
export async function containerOfName(
  engine: EngineClient,
  name: string,
  plugin: string,
  isSame: (labels: Readonly<Record<string, string>>) => boolean,
  signal: AbortSignal,
): Promise<ContainerInspection | undefined> {
  let found: ContainerInspection;
  try {
    found = await engine.json({ method: "GET", path: `/containers/${name}/json`, signal });
  } catch (error) {
    if (isEngineError(error, "not-found")) return undefined;
    throw error;
  }
  const labels = found.Config.Labels ?? {};
  if (labels[LABELS.plugin] !== plugin || !isSame(labels)) {
    throw new RuntimeError(
      "CreateFailed",
      `The container name ${name} is taken by a container that plugin ${plugin} did not make for this pod.`,
    );
  }
  return found.State.Status === "removing" ? undefined : found;
}
