import { createHash } from "node:crypto";
import type { TLSSocket } from "node:tls";
import { type KubeClient, paths } from "@interlink/kube";
import { ExpiringMap } from "./expiring-map.ts";

/** Who asks. */
export interface User {
  name: string;
  uid?: string;
  groups: string[];
  extra?: Record<string, string[]>;
}

/** What a request shows of its sender. */
interface Credentials {
  socket: TLSSocket;
  authorization: string | undefined;
}

/** Undefined: nobody that we know. Nobody is ever let in as anonymous. */
export type Authenticate = (credentials: Credentials) => Promise<User | undefined>;

interface TokenReview {
  status?: {
    authenticated?: boolean;
    user?: { username?: string; uid?: string; groups?: string[]; extra?: Record<string, string[]> };
  };
}

const REMEMBER_MS = 120_000;
const REMEMBER = 1000;

/**
 * A client certificate that the client CA signed (checked by TLS itself), else a bearer token that the cluster's
 * TokenReview knows. What the cluster affirmed is believed for two minutes.
 */
export function createAuthenticator(
  client: KubeClient,
  now: () => number = Date.now,
): Authenticate {
  const known = new ExpiringMap<User>(REMEMBER, now);
  return async ({ socket, authorization }) => {
    const certified = certificateUser(socket);
    if (certified !== undefined) return certified;
    const token = /^Bearer +(\S+) *$/i.exec(authorization ?? "")?.[1];
    if (token === undefined) return undefined;
    const key = createHash("sha256").update(token).digest("base64");
    const remembered = known.get(key);
    if (remembered !== undefined) return remembered;
    const user = await reviewToken(client, token);
    if (user !== undefined) known.set(key, user, REMEMBER_MS);
    return user;
  };
}

/** Common name and organizations of a verified client certificate are user and groups. */
function certificateUser(socket: TLSSocket): User | undefined {
  if (!socket.authorized) return undefined;
  const subject = socket.getPeerCertificate().subject as
    | { CN?: string | string[]; O?: string | string[] }
    | undefined;
  const name = list(subject?.CN)[0];
  return name === undefined || name === "" ? undefined : { name, groups: list(subject?.O) };
}

function list(value: string | string[] | undefined): string[] {
  if (value === undefined) return [];
  return typeof value === "string" ? [value] : value;
}

async function reviewToken(client: KubeClient, token: string): Promise<User | undefined> {
  const review = await client.create<TokenReview>(
    paths.tokenReviews.collection(),
    { apiVersion: "authentication.k8s.io/v1", kind: "TokenReview", spec: { token } },
    { timeoutMs: 10_000 },
  );
  const { authenticated, user } = review.status ?? {};
  if (authenticated !== true || user?.username === undefined) return undefined;
  return {
    name: user.username,
    groups: user.groups ?? [],
    ...(user.uid === undefined ? {} : { uid: user.uid }),
    ...(user.extra === undefined ? {} : { extra: user.extra }),
  };
}
