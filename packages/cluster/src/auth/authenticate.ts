import type { IncomingMessage } from "node:http";
import { TLSSocket } from "node:tls";
import { ApiError } from "../api/api-error.ts";
import { anonymous, authenticated, type Identity } from "./identity.ts";
import type { ServiceAccountTokens } from "./service-account-tokens.ts";

export function unauthorized(): ApiError {
  return new ApiError(401, "Unauthorized", "Unauthorized");
}

/**
 * Tells who makes a request: the subject of a client certificate (CN is the user, O the groups), else the bearer token,
 * else nobody. Throws 401 for a credential that is wrong.
 */
export class Authenticator {
  readonly #tokens: ServiceAccountTokens;
  readonly #apiAudience: string;
  /** A certificate is read once per connection. */
  readonly #identities = new WeakMap<TLSSocket, Identity>();

  constructor(tokens: ServiceAccountTokens, apiAudience: string) {
    this.#tokens = tokens;
    this.#apiAudience = apiAudience;
  }

  async authenticate(request: IncomingMessage): Promise<Identity> {
    const byCertificate = this.#byCertificate(request);
    if (byCertificate) return byCertificate;
    const header = request.headers.authorization;
    if (header === undefined) return anonymous;
    const token = /^Bearer\s+(\S+)$/i.exec(header)?.[1];
    if (!token) throw unauthorized();
    try {
      const { identity, audiences } = await this.#tokens.verify(token);
      if (!audiences.includes(this.#apiAudience))
        throw new Error("the token is for another audience");
      return identity;
    } catch (error) {
      throw new ApiError(401, "Unauthorized", "Unauthorized", undefined, error);
    }
  }

  #byCertificate(request: IncomingMessage): Identity | undefined {
    const socket = request.socket;
    if (!(socket instanceof TLSSocket)) return undefined;
    const known = this.#identities.get(socket);
    if (known) return known;
    const certificate = socket.getPeerX509Certificate();
    if (!certificate) return undefined;
    if (!socket.authorized) throw unauthorized();
    const identity = identityOfSubject(certificate.subject);
    this.#identities.set(socket, identity);
    return identity;
  }
}

/** `subject` as node:crypto prints it: one `KEY=value` per line. */
export function identityOfSubject(subject: string): Identity {
  const lines = subject.split("\n").map((line): [string, string] => {
    const at = line.indexOf("=");
    return [line.slice(0, at), line.slice(at + 1).replace(/\\(.)/g, "$1")];
  });
  const username = lines.findLast(([key]) => key === "CN")?.[1] ?? "";
  if (username === "") throw unauthorized();
  const groups = lines.filter(([key]) => key === "O").map(([, value]) => value);
  return authenticated({ username, groups });
}
