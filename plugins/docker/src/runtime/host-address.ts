import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import type { EngineAddress } from "../engine/engine-address.ts";

/** What `os.networkInterfaces()` tells, as far as it is of interest. */
export type Interfaces = Readonly<
  Record<string, readonly { address: string; family: string; internal: boolean }[] | undefined>
>;

/**
 * Address by which others reach the engine's machine: for an engine here that of the interface of the default route, for
 * one elsewhere the one in its own address, if that is no name. `undefined` if it cannot be known.
 */
export async function findHostAddress(address: EngineAddress): Promise<string | undefined> {
  if (address.kind === "tcp") return literal(new URL(address.origin).hostname);
  if (address.kind === "ssh") return literal(address.target.host);
  const table = await readFile("/proc/net/route", "utf8").catch(() => "");
  return hostAddress(table, networkInterfaces());
}

/** `table` as in `/proc/net/route`. IPv4, for engines give pods nothing else by default. */
export function hostAddress(table: string, interfaces: Interfaces): string | undefined {
  const routes = table
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(([, destination, , , , , , mask]) => destination === "00000000" && mask === "00000000")
    .map(([name = "", , , , , , metric = "0"]) => ({ name, metric: Number(metric) }))
    .toSorted((a, b) => a.metric - b.metric);
  const outward = routes.flatMap(({ name }) => interfaces[name] ?? []);
  return outward.find(({ family, internal }) => family === "IPv4" && !internal)?.address;
}

function literal(host: string): string | undefined {
  const bare = host.replace(/^\[(.*)\]$/, "$1");
  return isIP(bare) === 0 ? undefined : bare;
}
