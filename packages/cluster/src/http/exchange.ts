import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { Identity } from "../auth/identity.ts";
import type { Call } from "../rest/call.ts";
import type { Upgrade } from "./upgrades.ts";

/** One request and its answer, with who makes it. */
export class Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly identity: Identity;
  /** There when another protocol is asked for. */
  readonly upgrade: Upgrade | undefined;
  readonly #warnings: string[] = [];

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    url: URL,
    identity: Identity,
    upgrade?: Upgrade,
  ) {
    this.request = request;
    this.response = response;
    this.url = url;
    this.identity = identity;
    this.upgrade = upgrade;
  }

  get query(): URLSearchParams {
    return this.url.searchParams;
  }

  warn(text: string): void {
    this.#warnings.push(text);
  }

  call(dryRun = false): Call {
    return {
      user: this.identity.username,
      groups: this.identity.groups,
      uid: this.identity.uid,
      dryRun: dryRun || this.query.getAll("dryRun").includes("All"),
      warn: (text) => this.warn(text),
    };
  }

  json(code: number, body: unknown): void {
    this.text(code, JSON.stringify(body), "application/json");
  }

  /** `body` is text already serialised. */
  text(code: number, body: string, contentType: string): void {
    sendText(this.response, code, body, contentType, this.#warnings);
  }
}

/** Header values are Latin-1; what is not printable ASCII is left out. */
function headerText(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, " ").replace(/["\\]/g, "\\$&");
}

export function sendText(
  response: ServerResponse,
  code: number,
  body: string,
  contentType: string,
  warnings: readonly string[] = [],
): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const bytes = Buffer.from(body, "utf8");
  const headers: OutgoingHttpHeaders = {
    "content-type": contentType,
    "content-length": bytes.length,
    "cache-control": "no-cache, private",
  };
  if (warnings.length > 0) {
    headers.warning = warnings.map((text) => `299 - "${headerText(text)}"`).join(", ");
  }
  response.writeHead(code, headers);
  response.end(bytes);
}
