import { httpStatusOf, ProtocolError } from "@interlink/protocol";
import { PluginError } from "../plugin-error.ts";

/** How a failed call is answered: plain text, because that is what peers pass on to people. */
export interface ErrorAnswer {
  status: number;
  text: string;
  /** Whether an operator must look into it: the log gets the whole error. */
  unexpected: boolean;
}

/** The answer to any error of a call. What was not meant for the caller is told only by the request's id. */
export function errorAnswer(error: unknown, requestId: string): ErrorAnswer {
  if (error instanceof ProtocolError && error.code !== "internal") {
    return { status: httpStatusOf(error), text: sentence(error.message), unexpected: false };
  }
  const refused = httpRefusal(error);
  if (refused !== undefined) return refused;
  const { code, message, httpStatus } = PluginError.from(error);
  if (code !== "internal") return { status: httpStatus, text: message, unexpected: false };
  const text = `${message} The plugin's log says more under request ${requestId}.`;
  return { status: httpStatus, text, unexpected: true };
}

/** What the HTTP server itself refuses: a broken content type, a path that cannot be decoded. */
function httpRefusal(error: unknown): ErrorAnswer | undefined {
  if (!(error instanceof Error)) return undefined;
  const { statusCode, code } = error as Error & { statusCode?: unknown; code?: unknown };
  if (typeof statusCode !== "number" || statusCode < 400 || statusCode > 499) return undefined;
  if (typeof code !== "string" || !code.startsWith("FST_")) return undefined;
  return { status: statusCode, text: sentence(error.message), unexpected: false };
}

function sentence(message: string): string {
  const text = message.charAt(0).toUpperCase() + message.slice(1);
  return text.endsWith(".") ? text : `${text}.`;
}
