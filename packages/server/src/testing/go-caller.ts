import { readFileSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";

export interface Answer {
  code: number;
  headers: IncomingMessage["headers"];
  body: string;
}

/** Sends bytes as Go's client does, GET with a body included, and reads the whole answer. */
export async function send(
  address: string,
  method: string,
  path: string,
  body: string | Uint8Array = "",
  headers: Record<string, string> = {},
): Promise<Answer> {
  const incoming = await open(address, method, path, body, headers);
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return {
    code: incoming.statusCode ?? 0,
    headers: incoming.headers,
    body: Buffer.concat(chunks).toString("utf8"),
  };
}

/** Sends, and comes back with the headers of the answer. */
export function open(
  address: string,
  method: string,
  path: string,
  body: string | Uint8Array = "",
  headers: Record<string, string> = {},
  signal?: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const socketPath = address.startsWith("unix://") ? address.slice(7) : undefined;
    const outgoing = request(
      socketPath === undefined ? `${address}${path}` : `http://unix${path}`,
      {
        method,
        agent: false,
        ...(socketPath === undefined ? {} : { socketPath }),
        ...(signal === undefined ? {} : { signal }),
        headers: {
          "user-agent": "Go-http-client/1.1",
          "accept-encoding": "gzip",
          ...(body.length === 0 ? {} : { "content-type": "application/json" }),
          "content-length": String(Buffer.byteLength(body)),
          ...headers,
        },
      },
    );
    outgoing.on("response", resolve);
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

interface Fixture {
  body: string;
  reads: unknown;
}

/** A golden fixture of packages/protocol (see its fixtures/README.md). */
export function fixture(name: string): Fixture {
  const file = new URL(`../../../protocol/fixtures/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, "utf8")) as Fixture;
}
