import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import type { NodeAddress } from "kubernetes-types/core/v1.js";
import type { VirtualNodeOptions } from "../virtual-node-options.ts";
import type { NodeOptions } from "./node-options.ts";

/** What the node is, from what was asked for and where its kubelet listens. */
export async function nodeOptions(
  options: VirtualNodeOptions,
  address: string,
  kubeletPort: number,
  restricted: boolean,
): Promise<NodeOptions> {
  const { nodeName, capacity = {}, ...rest } = options;
  return {
    ...rest,
    ...("address" in rest.site ? { siteAddress: rest.site.address } : {}),
    version: options.version ?? (await ownVersion()),
    name: nodeName,
    capacity,
    addresses: nodeAddresses(address),
    kubeletPort,
    restricted,
  };
}

/** What the API server dials. */
export function nodeAddresses(address: string): NodeAddress[] {
  return [{ type: isIP(address) === 0 ? "InternalDNS" : "InternalIP", address }];
}

/** The same file from `src` and from `dist`. */
async function ownVersion(): Promise<string> {
  const text = await readFile(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
