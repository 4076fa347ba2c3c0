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
  /**
   * Opens new sockets when the credentials' certificates are others than those that the sockets were opened with: a
   * server goes by the certificate that it saw at the opening, and that one runs out. Streams that are open go on.
   * Resolves with whether it did. Rejects with KubeError `credentials` when they cannot be read.
   */
  renew(): Promise<boolean>;
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
  const tls = freshTlsConnector(credentials);
  const open = (connections: number | null): Pool =>
    new Pool(origin, {
      connect: tls.connect,
      connections,
      pipelining: 1,
      allowH2: false,
      keepAliveTimeout: 30_000,
      // The callers have deadlines; undici's own would cut watches.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  const openAll = (): Record<Lane, Pool> => ({
    general: open(limits.connections ?? 16),
    leases: open(2),
    watches: open(null),
  });
  let pools = openAll();
  const retired = new Set<Pool>();
  const retire = (pool: Pool): void => {
    retired.add(pool);
    const forget = (): void => void retired.delete(pool);
    // It resolves when the last answer has been read; the pool that is destroyed meanwhile rejects.
    pool.close().then(forget, forget);
  };
  return {
    pool: (lane) => pools[lane],
    renew: async () => {
      if (!(await tls.hasChanged())) return false;
      for (const pool of Object.values(pools)) retire(pool);
      pools = openAll();
      return true;
    },
    // Not close(): that would wait for watches, which end only with their readers.
    close: async () => {
      await Promise.all([...Object.values(pools), ...retired].map((pool) => pool.destroy()));
    },
  };
}

interface TlsConnector {
  connect: buildConnector.connector;
  /** Whether something was dialled with other material than there is now, since this last said so. */
  hasChanged(): Promise<boolean>;
}

/** Asks the credentials for TLS material at each new connection, so rotated certificates are taken up. */
function freshTlsConnector(credentials: KubeCredentials): TlsConnector {
  let last: { material: string; connector: buildConnector.connector } | undefined;
  const dialled = new Set<string>();
  const connectorFor = (tls: TlsMaterial): buildConnector.connector => {
    const material = JSON.stringify(tls);
    dialled.add(material);
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
  return {
    connect: (options, callback) => void dial(options, callback),
    hasChanged: async () => {
      const now = JSON.stringify(await credentials.tls());
      if ([...dialled].every((material) => material === now)) return false;
      dialled.clear();
      return true;
    },
  };
}
