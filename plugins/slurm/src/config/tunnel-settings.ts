import { isIPv4 } from "node:net";
import type { TunnelSettings } from "../pods/tunnel-script.ts";
import type { FileSettings } from "./config-schema.ts";
import { optionWords } from "./setting-words.ts";

/** The tunnel that jobs open; `undefined`: they need none. Throws a sentence that begins with the key. */
export function readTunnel(file: FileSettings): TunnelSettings | undefined {
  if (file.Tsocks !== true) return undefined;
  const { TsocksLoginNode: node = "", TsocksPath: library = "" } = file;
  if (!/^[^-\s\p{Cc}][^\s\p{Cc}]*$/u.test(node)) {
    throw new Error(
      "TsocksLoginNode: Tsocks needs the machine that jobs reach the outside through, as ssh is told it (login1, user@login1)",
    );
  }
  // A bind mount, and the loader's list of libraries, take no other path.
  if (library !== "" && !/^\/[^\s:,;"'\\$\p{Cc}]+$/u.test(library)) {
    throw new Error(
      "TsocksPath: give the absolute path of libtsocks.so on the compute nodes, without blanks, colons, commas, quotes and dollars",
    );
  }
  return {
    ssh: file.TsocksSshPath ?? "ssh",
    options: optionWords("TsocksSshOptions", file.TsocksSshOptions ?? []),
    node,
    ...(library !== "" && { library }),
    direct: (file.TsocksLocal ?? []).map(readNetwork),
  };
}

function readNetwork(network: string): string {
  const [, address = "", bits = ""] = /^(\d+\.\d+\.\d+\.\d+)\/(\d{1,2})$/.exec(network) ?? [];
  const isSound = isIPv4(address) && Number(bits) <= 32;
  if (isSound) return network;
  throw new Error(`TsocksLocal: ${JSON.stringify(network)} is no network such as 10.0.0.0/8`);
}
