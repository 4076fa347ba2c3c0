import { isIPv6 } from "node:net";
import type { HTTPGetAction } from "kubernetes-types/core/v1.js";
import type { Dispatcher } from "undici";
import { request } from "undici";
import { connectWords } from "./look-tcp.ts";
import { dispatcherThrough, type PodPort } from "./pod-port.ts";
import type { ProbeOutcome } from "./probe-worker.ts";

const MAX_REDIRECTS = 10;
/** Enough to show in an event. */
const MAX_BODY_BYTES = 10 * 1024;

/** A GET as a kubelet makes it; 200 to 399 is success, a redirect to another host is one with a warning. */
export async function lookHttp(
  direct: Dispatcher,
  action: HTTPGetAction,
  { host, port, open }: PodPort,
  signal: AbortSignal,
): Promise<ProbeOutcome> {
  if (open === undefined) return get(direct, action, probeUrl(action, host, port), signal);
  const dispatcher = dispatcherThrough(open, signal);
  try {
    return await get(dispatcher, action, probeUrl(action, host, port), signal);
  } finally {
    await dispatcher.destroy();
  }
}

async function get(
  dispatcher: Dispatcher,
  action: HTTPGetAction,
  asked: URL,
  signal: AbortSignal,
): Promise<ProbeOutcome> {
  let url = asked;
  const first = url;
  try {
    for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
      const { statusCode, headers, body } = await request(url, {
        dispatcher,
        signal,
        headers: probeHeaders(action),
      });
      const text = await firstBytes(body);
      const location = headers["location"];
      if (statusCode >= 300 && statusCode < 400 && typeof location === "string") {
        const target = new URL(location, url);
        if (target.hostname !== first.hostname) {
          const output = "Probe terminated redirects, Response body: ";
          return { ok: true, warning: true, output: output + text };
        }
        url = target;
        continue;
      }
      if (statusCode >= 200 && statusCode < 400) return { ok: true, output: text };
      return { ok: false, output: `HTTP probe failed with statuscode: ${statusCode}` };
    }
    return { ok: false, output: `Get "${first.href}": stopped after ${MAX_REDIRECTS} redirects` };
  } catch (error) {
    const why = signal.aborted
      ? "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
      : `dial tcp ${url.host}: ${connectWords(error)}`;
    return { ok: false, output: `Get "${first.href}": ${why}` };
  }
}

export function probeUrl(action: HTTPGetAction, host: string, port: number): URL {
  const scheme = action.scheme?.toUpperCase() === "HTTPS" ? "https" : "http";
  const path = action.path ?? "/";
  const authority = isIPv6(host) ? `[${host}]` : host;
  return new URL(`${scheme}://${authority}:${port}${path.startsWith("/") ? "" : "/"}${path}`);
}

/** Names and values in turn: the own ones, then those that a kubelet sends. */
export function probeHeaders(action: HTTPGetAction): string[] {
  const own = (action.httpHeaders ?? []).flatMap(({ name, value }) => [name, value]);
  const has = (wanted: string) =>
    (action.httpHeaders ?? []).some(({ name }) => name.toLowerCase() === wanted);
  return [
    ...own,
    ...(has("user-agent") ? [] : ["User-Agent", "kube-probe/1.31"]),
    ...(has("accept") ? [] : ["Accept", "*/*"]),
    "Connection",
    "close",
  ];
}

async function firstBytes(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= MAX_BODY_BYTES) break;
  }
  return Buffer.concat(chunks).subarray(0, MAX_BODY_BYTES).toString("utf8");
}
