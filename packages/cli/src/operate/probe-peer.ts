import { createInterlinkClient, type InterlinkClientOptions } from "@interlink/protocol";
import { answered, PROBE_MS } from "./answered.ts";
import { contact } from "./contact.ts";
import type { PeerFacts } from "./facts.ts";

/** Who is asked, and as whom. */
export type PeerProbe = Pick<InterlinkClientOptions, "address" | "peer" | "tls" | "token">;

/** Asks an API server or a plugin who it is and how it is. Never throws; takes three deadlines at the most. */
export async function probePeer(
  { address, peer, tls, token }: PeerProbe,
  signal: AbortSignal,
  now: () => number,
): Promise<PeerFacts> {
  const reached = await answered(() => contact(address, { ...(tls ? { tls } : {}), signal, now }));
  if (!reached.ok && !isOnlyHealth(reached.code)) return { address, contact: reached };
  const client = createInterlinkClient({
    address,
    peer,
    connections: 2,
    userAgent: "interlink-doctor",
    ...(tls === undefined ? {} : { tls }),
    ...(token === undefined ? {} : { token }),
  });
  try {
    const call = { signal, timeoutMs: PROBE_MS };
    const [capabilities, ping] = await Promise.all([
      answered(() => client.capabilities(call)),
      answered(async () => (await client.ping(call)).answer),
    ]);
    return { address, contact: reached, capabilities, ping };
  } finally {
    await client.close();
  }
}

/** An old peer may answer the unknown path with nothing that is HTTP; the calls of the protocol tell. */
function isOnlyHealth(code: string): boolean {
  return code.startsWith("HPE_");
}
