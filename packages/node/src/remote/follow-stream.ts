import type { InterlinkClient } from "@interlink/protocol";
import type { RemoteListener } from "./remote-site.ts";

/**
 * Tells the listener what one status stream says, until the site ends it or it breaks (then it throws; the client
 * itself ends a stream that falls silent). "connected" is said once the site has told everything that it knows.
 */
export async function followStream(
  client: InterlinkClient,
  listener: RemoteListener,
  now: () => number,
  signal: AbortSignal,
): Promise<void> {
  const askedAt = now();
  let known: Set<string> | undefined = new Set();
  for await (const record of client.statusStream({ signal })) {
    switch (record.type) {
      case "status":
        known?.add(record.status.UID);
        listener.status(record.status);
        break;
      case "synced":
        listener.connection("connected");
        if (known) listener.synced({ askedAt, asked: "all", known });
        known = undefined;
        break;
      case "gone":
        known?.delete(record.UID);
        listener.gone(record.UID);
        break;
      case "event":
        listener.event(record.event);
        break;
      case "heartbeat":
        break;
    }
  }
}
