import {
  type Caller,
  offers,
  ProtocolError,
  type StatusStreamRecord,
  writeStatusStreamLine,
} from "@interlink/protocol";
import type { FastifyInstance } from "fastify";
import { mayTouch } from "../auth/namespaces.ts";
import { callerSignal } from "../http/caller.ts";
import type { Streams } from "../http/streams.ts";
import type { ServerContext } from "../options.ts";
import type { PluginOffers } from "../plugin/plugin-capabilities.ts";

/**
 * `GET /status/stream`: each subscriber has a stream of its own from the plugin; every record is read and written
 * anew, so nothing malformed passes. Heartbeats are the plugin's: ours would hide that it has fallen silent.
 */
export function statusStreamRoute(
  app: FastifyInstance,
  context: ServerContext,
  capabilities: PluginOffers,
  streams: Streams,
  heard: (record: StatusStreamRecord) => void,
): void {
  app.get("/status/stream", async (request, reply) => {
    const signal = callerSignal(reply, context.closing);
    if (!offers(await capabilities.recent(signal), "status-stream")) {
      throw new ProtocolError("not-found", "the plugin offers no status stream; ask /status");
    }
    await streams.send(reply, {
      kind: "status",
      signal,
      contentType: "application/x-ndjson",
      open: async () => {
        const records = context.plugin.statusStream({ signal, requestId: request.id });
        // The first record comes at once, and with it the plugin's refusal if there is one.
        const first = await records.next();
        return lines(first, records, heard, request.caller);
      },
    });
    return reply;
  });
}

async function* lines(
  first: IteratorResult<StatusStreamRecord, void>,
  records: AsyncGenerator<StatusStreamRecord, void, undefined>,
  heard: (record: StatusStreamRecord) => void,
  caller: Caller | undefined,
): AsyncGenerator<string, void, undefined> {
  try {
    for (let next = first; next.done !== true; next = await records.next()) {
      heard(next.value);
      if (isFor(caller, next.value)) yield writeStatusStreamLine(next.value);
    }
  } finally {
    await records.return();
  }
}

/** Pods of other namespaces are nothing to a caller that has some. */
function isFor(caller: Caller | undefined, record: StatusStreamRecord): boolean {
  if (record.type === "status") return mayTouch(caller, record.status.namespace);
  if (record.type === "gone") return mayTouch(caller, record.namespace);
  return record.type !== "event" || mayTouch(caller, record.event.namespace);
}
