import { type InterlinkClient, type PingAnswer, ProtocolError } from "@interlink/protocol";
import { quantityTimes } from "../../kubernetes/quantity.ts";
import type { PluginLine } from "./plugin-line.ts";

/** What one plugin said to a ping, or why it said nothing. */
export interface PluginPing {
  name: string;
  answer?: PingAnswer | undefined;
  problem?: string;
}

/**
 * One ping answer of several plugins: what those have together that answer, and each one's own under `plugins`. A resource is
 * told if all who answer tell it. Existing nodes skip `plugins`.
 */
export function combinedPing(pings: readonly PluginPing[]): object {
  const answering = pings.filter(({ problem }) => problem === undefined);
  const resources = sum(answering.map(({ answer }) => answer?.resources ?? {}));
  const taints = answering.flatMap(({ answer }) => answer?.taints ?? []);
  const distinct = [
    ...new Map(taints.map((taint) => [`${taint.key} ${taint.effect}`, taint])).values(),
  ];
  return {
    status: answering.length === pings.length ? "ok" : "degraded",
    ...(Object.keys(resources).length === 0 ? {} : { resources }),
    ...(answering.some(({ answer }) => answer?.taints !== undefined) ? { taints: distinct } : {}),
    plugins: Object.fromEntries(
      pings.map(({ name, answer, problem }) => [
        name,
        problem === undefined ? { status: "ok", ...answer } : { status: "error", message: problem },
      ]),
    ),
  };
}

/** Asks one of them; never throws. */
export async function pinged(
  line: PluginLine,
  options: Parameters<InterlinkClient["ping"]>[0],
  timeoutMs: number,
): Promise<PluginPing> {
  try {
    const { answer } = await line.call((client) => client.ping({ ...options, timeoutMs }));
    return { name: line.name, answer };
  } catch (error) {
    return { name: line.name, problem: ProtocolError.from(error).message };
  }
}

type Resources = NonNullable<PingAnswer["resources"]>;

function sum(all: readonly Resources[]): Resources {
  const total = (name: "cpu" | "memory" | "pods" | "ephemeral-storage", scale: number) => {
    const values = all.flatMap((one) => one[name] ?? []);
    if (values.length === 0 || values.length < all.length) return {};
    const amount = values.reduce((so, value) => so + quantityTimes(value, scale), 0);
    return { [name]: scale === 0 ? String(amount) : `${amount}m` };
  };
  const accelerators = new Map<string, number>();
  for (const { resourceType, available } of all.flatMap((one) => one.accelerators ?? [])) {
    const before = accelerators.get(resourceType) ?? 0;
    accelerators.set(resourceType, before + quantityTimes(available, 0));
  }
  return {
    ...total("cpu", 3),
    ...total("memory", 0),
    ...total("pods", 0),
    ...total("ephemeral-storage", 0),
    ...(accelerators.size === 0
      ? {}
      : {
          accelerators: [...accelerators].map(([resourceType, available]) => ({
            resourceType,
            available: String(available),
          })),
        }),
  };
}
