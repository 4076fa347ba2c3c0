import type { ServerResponse } from "node:http";
import { expired } from "../api/api-error.ts";
import type { KubeObject } from "../api/object.ts";
import type { ResourceDefinition } from "../resources/definition.ts";
import { parseVersion } from "../rest/list.ts";
import type { Selection } from "../rest/selection.ts";
import type { StoreEvent } from "../storage/object-store.ts";
import type { Storage } from "../storage/storage.ts";
import type { Representation } from "./representation.ts";

/** A watcher that leaves this much unread is cut off, and comes back with its last resourceVersion. */
const maxUnreadBytes = 64 * 1024 * 1024;
const defaultTimeoutSeconds = 30 * 60;
/** The last bookmark comes this long before the server ends the watch. */
const bookmarkBeforeEndMs = 2000;

export interface WatchOptions {
  storage: Storage;
  definition: ResourceDefinition;
  selection: Selection;
  query: URLSearchParams;
  representation: Representation;
  bookmarkIntervalMs: number;
}

type Line = { type: "ADDED" | "MODIFIED" | "DELETED"; object: KubeObject };

/** The change as it looks through a selector: what comes to match is ADDED, what no longer does is DELETED. */
export function throughSelection(event: StoreEvent, selection: Selection): Line | undefined {
  const { object, previous } = event;
  const matched = previous !== undefined && selection(previous);
  if (event.type === "DELETED") return matched ? { type: "DELETED", object } : undefined;
  const matches = selection(object);
  if (matches) return { type: matched ? "MODIFIED" : "ADDED", object };
  if (!matched || !previous) return undefined;
  const metadata = { ...previous.metadata, resourceVersion: String(event.version) };
  return { type: "DELETED", object: { ...previous, metadata } };
}

/**
 * Answers a watch: what is there (resourceVersion unset or 0, or sendInitialEvents) or what changed since, then each
 * change as it happens, and bookmarks. Ends by itself after timeoutSeconds. Throws ApiError before the first byte for
 * parameters that cannot be read.
 */
export function streamWatch(response: ServerResponse, options: WatchOptions): void {
  const { storage, definition, selection, query, representation } = options;
  const store = storage.store(definition);
  const asked = parseVersion(query.get("resourceVersion"));
  const bookmarks = isTrue(query.get("allowWatchBookmarks"));
  const initialFlag = query.get("sendInitialEvents");
  const sendInitial =
    initialFlag === null ? asked === undefined || asked === 0 : isTrue(initialFlag);
  const from = asked ?? 0;
  const current = storage.versions.current;
  const backlog = sendInitial ? [] : from === 0 ? [] : store.since(from);
  response.writeHead(200, {
    "content-type": "application/json",
    "cache-control": "no-cache, private",
  });
  response.flushHeaders();
  if (backlog === undefined) {
    // As the real watch cache does: the refusal is an event of the stream, not an HTTP status.
    const status = expired(`too old resource version: ${from} (${current})`).toStatus();
    response.end(`${JSON.stringify({ type: "ERROR", object: status })}\n`);
    return;
  }

  let first = true;
  let ended = false;
  const writeLine = (line: string): void => {
    if (ended) return;
    response.write(line);
    if (response.writableLength > maxUnreadBytes) response.destroy();
  };
  const send = (line: Line): void => {
    writeLine(`{"type":"${line.type}","object":${representation.watched(line.object, first)}}\n`);
    first = false;
  };
  const bookmark = (initialEventsEnd = false): void => {
    const object = representation.bookmark(storage.versions.current, initialEventsEnd);
    writeLine(`{"type":"BOOKMARK","object":${object}}\n`);
  };
  const onEvent = (event: StoreEvent): void => {
    // Future versions (a watch from ahead of now) start when they are reached.
    if (!sendInitial && event.version <= from) return;
    const line = throughSelection(event, selection);
    if (line) send(line);
  };

  if (sendInitial) {
    for (const object of store.list()) if (selection(object)) send({ type: "ADDED", object });
    if (initialFlag !== null && bookmarks) bookmark(true);
  } else {
    for (const event of backlog) onEvent(event);
  }

  const unsubscribe = store.subscribe(onEvent);
  const timeoutMs = (Number(query.get("timeoutSeconds")) || defaultTimeoutSeconds) * 1000;
  const timers = [setTimeout(() => end(), timeoutMs)];
  if (bookmarks) {
    timers.push(setInterval(() => bookmark(), options.bookmarkIntervalMs));
    if (timeoutMs > bookmarkBeforeEndMs) {
      timers.push(setTimeout(() => bookmark(), timeoutMs - bookmarkBeforeEndMs));
    }
  }
  function end(): void {
    if (ended) return;
    unsubscribe();
    for (const timer of timers) clearTimeout(timer);
    ended = true;
    response.end();
  }
  response.on("close", end);
  response.on("error", end);
}

function isTrue(flag: string | null): boolean {
  return flag === "true" || flag === "1";
}
