import { networkInterfaces } from "node:os";
import { pause } from "@interlink/kube";
import { ownAddress } from "./node-address.ts";

type Interfaces = ReturnType<typeof networkInterfaces>;

/** The address to use from now on: the one before for as long as this machine has it, so that nothing flaps. */
export function nextAddress(before: string, interfaces: Interfaces): string {
  const all = Object.values(interfaces).flatMap((list) => list ?? []);
  return all.some(({ address }) => address === before) ? before : ownAddress(interfaces);
}

/** Tells each other address that the machine gets instead of `address`, until the signal fires. Never rejects. */
export async function followAddress(
  address: string,
  told: (address: string) => void,
  signal: AbortSignal,
  everyMs = 30_000,
): Promise<void> {
  let last = address;
  while (!signal.aborted) {
    await pause(everyMs, signal);
    const next = nextAddress(last, networkInterfaces());
    if (signal.aborted || next === last) continue;
    last = next;
    told(next);
  }
}
