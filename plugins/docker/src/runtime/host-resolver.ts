import { readFile } from "node:fs/promises";
import { parseResolvConf, type Resolver } from "../pods/pod-dns.ts";

/** Behind systemd's stub on loopback are the name servers that containers can reach; engines look there, too. */
const FILES = ["/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"];

/** What this machine finds names by, for pods that add to it. Nothing, if that cannot be told. */
export async function readHostResolver(files: readonly string[] = FILES): Promise<Resolver> {
  let found: Resolver = { nameservers: [], searches: [], options: [] };
  for (const file of files) {
    const text = await readFile(file, "utf8").catch(() => undefined);
    if (text === undefined) continue;
    found = parseResolvConf(text);
    if (found.nameservers.length > 0) break;
  }
  return found;
}
