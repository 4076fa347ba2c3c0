import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { context, propagation } from "@opentelemetry/api";
import { ProtocolError } from "../errors.ts";
import type { TokenSource } from "./options.ts";

/** Ties the log lines of one request together on all hops. */
export const REQUEST_ID_HEADER = "interlink-http-session";

/** What Go peers begin a request id with, per operation. */
export type OperationName =
  | "PingInterLink"
  | "CreatePod"
  | "UpdatePod"
  | "DeletePod"
  | "GetStatus"
  | "GetLogs"
  | "UpdateCache"
  | "GetCapabilities"
  | "StatusStream"
  | "Exec"
  | "Attach"
  | "PortForward"
  | "GetStats";

/** `given` when it is fit for a header and a log line, else a new one: `<Op>#<uuid>`. */
export function requestIdFor(operation: OperationName, given?: string): string {
  return given !== undefined && isRequestId(given) ? given : `${operation}#${randomUUID()}`;
}

/** Visible ASCII, at most 128 characters. */
export function isRequestId(value: string): boolean {
  return /^[\x21-\x7e]{1,128}$/.test(value);
}

/** The headers of a call: JSON body, request id, bearer token, W3C trace context of the active span. */
export async function callHeaders(
  requestId: string,
  hasBody: boolean,
  token: TokenSource | undefined,
  userAgent: string,
): Promise<Record<string, string>> {
  const headers: Record<string, string> = {
    [REQUEST_ID_HEADER]: requestId,
    "user-agent": userAgent,
  };
  if (hasBody) headers["content-type"] = "application/json";
  const bearer = token === undefined ? "" : await readToken(token);
  if (bearer !== "") headers["authorization"] = `Bearer ${bearer}`;
  propagation.inject(context.active(), headers);
  return headers;
}

async function readToken(source: TokenSource): Promise<string> {
  let token: string;
  try {
    token = typeof source === "function" ? await source() : await readFile(source.file, "utf8");
  } catch (cause) {
    throw new ProtocolError("unavailable", `the bearer token cannot be read: ${String(cause)}`, {
      cause,
    });
  }
  const trimmed = token.trim();
  if (!/^[\x21-\x7e]*$/.test(trimmed)) {
    throw new ProtocolError("invalid", "the bearer token holds characters that no header may have");
  }
  return trimmed;
}
