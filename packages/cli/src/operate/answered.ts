import { KubeError } from "@interlink/kube";
import { ProtocolError } from "@interlink/protocol";
import type { Answered, Failure } from "./facts.ts";

/** Every question has an end: the probe's own deadline, in milliseconds. */
export const PROBE_MS = 10_000;

/** What `ask` found out, or why it could not. */
export async function answered<T>(ask: () => Promise<T>): Promise<Answered<T>> {
  try {
    return { ok: true, value: await ask() };
  } catch (error) {
    return { ok: false, ...failureOf(error) };
  }
}

/** The innermost code says most: a refused connection lies below two errors of ours. */
export function failureOf(error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error);
  const code = systemCode(error) ?? ownCode(error) ?? "failed";
  const status =
    error instanceof ProtocolError
      ? error.httpStatus
      : error instanceof KubeError
        ? error.httpCode
        : undefined;
  return { code, message, ...(status === undefined ? {} : { httpStatus: status }) };
}

function systemCode(error: unknown): string | undefined {
  let found: string | undefined;
  let at: unknown = error;
  for (let depth = 0; at instanceof Error && depth < 8; depth++) {
    const { code } = at as NodeJS.ErrnoException;
    if (typeof code === "string" && /^[A-Z][A-Z0-9_]+$/.test(code)) found = code;
    at = at instanceof AggregateError ? at.errors[0] : at.cause;
  }
  return found;
}

function ownCode(error: unknown): string | undefined {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === "string" ? code : undefined;
}
