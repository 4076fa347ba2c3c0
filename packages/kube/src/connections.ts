import { buildConnector, Pool } from "undici";
import type { KubeCredentials, TlsMaterial } from "./credentials.ts";
import { KubeError } from "./errors.ts";

/** Three kinds of traffic that must not wait for one another: a lease never queues behind a thousand patches. */
export type Lane = "general" | "leases" | "watches";

export interface ConnectionLimits {
  /** Sockets for everything but watches and leases; default 16. */
  connections?: number;
}

/** The sockets to one API server: HTTP/1.1, one pool per lane. */
export interface Connections {
  pool(lane: Lane): Pool;
  close(): Promise<void>;
}

export function openConnections(
  credentials: KubeCredentials,
  limits: ConnectionLimits = {},
): Connections {
  if (credentials.proxyUrl !== undefined)
    throw new KubeError(
      "credentials",
      "The kubeconfig's cluster has a proxy-url, which is not supported; give a server address that can be reached directly.",
    );
  const { origin } = new URL(credentials.server);
  const connect = freshTlsConnector(credentials);
  const open = (connections: number | null): Pool =>
    new Pool(origin, {
      connect,
      connections,
      pipelining: 1,
      allowH2: false,
      keepAliveTimeout: 30_000,
      // The callers have deadlines; undici's own would cut watches.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  const pools: Record<Lane, Pool> = {
    general: open(limits.connections ?? 16),
    leases: open(2),
    watches: open(null),
  };
  return {
    pool: (lane) => pools[lane],
    // Not close(): that would wait for watches, which end only with their readers.
    close: async () => {
      await Promise.all(Object.values(pools).map((pool) => pool.destroy()));
    },
  };
}

/** Asks the credentials for TLS material at each new connection, so rotated certificates are taken up. */
function freshTlsConnector(credentials: KubeCredentials): buildConnector.connector {
  let last: { material: string; connector: buildConnector.connector } | undefined;
  const connectorFor = (tls: TlsMaterial): buildConnector.connector => {
    const material = JSON.stringify(tls);
    if (last?.material !== material)
      // One connector per material keeps its TLS session cache.
      last = {
        material,
        connector: buildConnector({ ...tls, timeout: 10_000, keepAliveInitialDelay: 15_000 }),
      };
    return last.connector;
  };
  const current = async (): Promise<buildConnector.connector | KubeError> => {
    try {
      return connectorFor(await credentials.tls());
    } catch (error) {
      return KubeError.from(error, "reading credentials");
    }
  };
  const dial = async (
    options: buildConnector.Options,
    callback: buildConnector.Callback,
  ): Promise<void> => {
    const connector = await current();
    if (connector instanceof KubeError) callback(connector, null);
    else connector(options, callback);
  };
  return (options, callback) => void dial(options, callback);
}
