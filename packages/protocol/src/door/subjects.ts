import type { IncomingMessage } from "node:http";
import { ProtocolError } from "../errors.ts";
import type { Authenticate, Caller } from "./authenticate.ts";
import { covers } from "./patterns.ts";

/** Common name of the caller's client certificate, if the connection has one of a known authority. */
export function certificateSubject({ socket }: IncomingMessage): string | undefined {
  if (!("getPeerCertificate" in socket) || !("authorized" in socket) || !socket.authorized) {
    return undefined;
  }
  const certificate = (
    socket as { getPeerCertificate(): { subject?: { CN?: string | string[] } } }
  ).getPeerCertificate();
  const name = certificate.subject?.CN;
  // Of several nobody knows which is meant.
  return typeof name === "string" ? name : undefined;
}

/**
 * Callers whose certificate has one of these common names (`node-1`, or `lab-*` for all that begin so), each with the
 * namespaces whose pods it may touch; `*` is all. The name itself goes before a pattern, a longer one before a shorter.
 */
export function createSubjects(allowed: Readonly<Record<string, readonly string[]>>): Authenticate {
  const patterns = Object.keys(allowed)
    .filter((pattern) => pattern.endsWith("*"))
    .toSorted((a, b) => b.length - a.length);
  return ({ certificateSubject: name }): Caller => {
    if (name === undefined) {
      throw new ProtocolError(
        "refused",
        "a client certificate with one common name (CN) is needed",
        { httpStatus: 401 },
      );
    }
    const isNamed = Object.hasOwn(allowed, name) && !name.endsWith("*");
    const found = isNamed ? name : patterns.find((pattern) => covers(pattern, name));
    const namespaces = found === undefined ? undefined : allowed[found];
    if (namespaces === undefined) {
      throw new ProtocolError(
        "refused",
        `the client certificate's name is not one of those that may call; ask the site to allow ${JSON.stringify(name.slice(0, 64))}`,
        { httpStatus: 403 },
      );
    }
    return { name, ...(namespaces.includes("*") ? {} : { namespaces }) };
  };
}
