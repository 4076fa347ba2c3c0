import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Logger, pino } from "pino";
import { assembleServer } from "./assemble.ts";
import { Authorizer } from "./auth/authorize.ts";
import { ServiceAccountTokens } from "./auth/service-account-tokens.ts";
import { CertificateAuthority } from "./certificates/authority.ts";
import { EventRecorder } from "./controllers/event-recorder.ts";
import { startControllers } from "./controllers/start-controllers.ts";
import { kubeconfigYaml } from "./kubeconfig.ts";
import { createInitialObjects } from "./resources/bootstrap.ts";
import { definitions } from "./resources/definitions.ts";
import { type Chance, Storage, systemChance } from "./storage/storage.ts";

/** Where an embedded cluster listens and writes, and its waits. All optional. */
export interface ClusterOptions {
  /** Address to listen on; default 127.0.0.1. */
  host?: string;
  /** Default: a free port. */
  port?: number;
  /** Where ca.crt and admin.kubeconfig are written; default a temporary directory that close() removes. */
  directory?: string;
  logger?: Logger;
  /** How often a watch that asked for bookmarks gets one; default 60 000. */
  watchBookmarkIntervalMs?: number;
  /** How many changes per resource a watch can come back to before it gets 410 Gone; default 5 000. */
  watchHistorySize?: number;
  /** How long a node may be silent before it becomes NotReady (Unknown); default 50 000. */
  nodeGracePeriodMs?: number;
  /** How long the certificates are valid that are signed on request; default a year. */
  certificateSeconds?: number;
  /** The wait after the first failed pod of a Job, doubling with each further one; default 10 000. */
  jobBackoffMs?: number;
  /** Time and randomness; tests give their own. */
  chance?: Chance;
}

/** Whom a kubeconfig is for. */
export type Subject =
  | {
      readonly user: string;
      readonly groups?: readonly string[];
      /** How long the certificate is valid; default a year. */
      readonly seconds?: number;
    }
  | { readonly serviceAccount: string; readonly namespace: string };

/** A running embedded cluster. */
export interface Cluster extends AsyncDisposable {
  /** `https://127.0.0.1:PORT`. */
  readonly url: string;
  /** The authority of the serving certificate. */
  readonly caPem: string;
  /** The authority of client certificates: what a kubelet checks the API server's (and users') certificates with. */
  readonly clientCaPem: string;
  /** For a user of group system:masters. */
  readonly kubeconfigYaml: string;
  /** The same, in a file that only its owner can read. */
  readonly kubeconfigFile: string;
  /** A kubeconfig for a user with a new client certificate, or for a service account with a token of a year. */
  credentialsFor(subject: Subject): Promise<string>;
  /** Stops answering, as a crashed API server does: every connection is cut. What is stored stays. */
  pause(): Promise<void>;
  /** Listens again, on the same port. */
  resume(): Promise<void>;
  /** Forgets what happened, as a compaction of etcd does: who was away has to list anew. */
  compact(): void;
  close(): Promise<void>;
}

const apiAudience = "https://kubernetes.default.svc";
const yearSeconds = 365 * 24 * 3600;

/** Starts an API server with everything in memory. It is ready when the promise resolves. */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const host = options.host ?? "127.0.0.1";
  const chance = options.chance ?? systemChance;
  const logger = options.logger ?? pino({ level: "silent" });
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), "interlink-cluster-")));
  await mkdir(directory, { recursive: true });

  const authority = await CertificateAuthority.create("kubernetes", chance.now());
  const masters = ["system:masters"];
  const hosts = ["127.0.0.1", "::1", "localhost", "kubernetes", "kubernetes.default.svc", host];
  const [serving, kubeletClient, admin] = await Promise.all(
    [
      { commonName: "kube-apiserver", hosts: [...new Set(hosts)] },
      { commonName: "kube-apiserver-kubelet-client", organizations: masters },
      { commonName: "kubernetes-admin", organizations: masters },
    ].map((request) => authority.issue(request, chance.now())),
  );
  if (!serving || !kubeletClient || !admin) throw new Error("no certificates");

  const storage = new Storage(definitions, options.watchHistorySize ?? 5000, chance);
  const tokens = new ServiceAccountTokens(storage, apiAudience);
  let port = options.port ?? 0;
  const server = assembleServer({
    storage,
    tokens,
    apiAudience,
    caPem: authority.certificatePem,
    serving,
    kubeletClient,
    bookmarkIntervalMs: options.watchBookmarkIntervalMs ?? 60_000,
    logger,
    address: () => `${host}:${port}`,
  });
  port = await server.listen(host, port);
  createInitialObjects(storage, { host, port, clientCaPem: authority.certificatePem });
  const stopControllers = startControllers(
    { storage, logger, events: new EventRecorder(storage) },
    {
      caPem: authority.certificatePem,
      certificates: {
        authority,
        authorizer: new Authorizer(storage),
        seconds: options.certificateSeconds ?? yearSeconds,
      },
      nodeGracePeriodMs: options.nodeGracePeriodMs ?? 50_000,
      jobBackoffMs: options.jobBackoffMs ?? 10_000,
    },
  );

  const url = `https://${host.includes(":") ? `[${host}]` : host}:${port}`;
  const common = { clusterName: "interlink", server: url, caPem: authority.certificatePem };
  const adminConfig = kubeconfigYaml({ ...common, user: "kubernetes-admin", credential: admin });
  const kubeconfigFile = join(directory, "admin.kubeconfig");
  await writeFile(kubeconfigFile, adminConfig, { mode: 0o600 });
  await writeFile(join(directory, "ca.crt"), authority.certificatePem);

  const credentialsFor = async (subject: Subject): Promise<string> => {
    if ("user" in subject) {
      const { user, groups = [], seconds } = subject;
      const lifetime = seconds === undefined ? {} : { seconds };
      const request = { commonName: user, organizations: groups, ...lifetime };
      const credential = await authority.issue(request, chance.now());
      return kubeconfigYaml({ ...common, user, credential });
    }
    const { namespace, serviceAccount } = subject;
    const account = storage.find("serviceaccounts", namespace, serviceAccount);
    if (!account) throw new Error(`service account ${namespace}/${serviceAccount} does not exist`);
    const { token } = await tokens.sign({
      namespace,
      serviceAccount: { name: serviceAccount, uid: account.metadata.uid ?? "" },
      audiences: [apiAudience],
      expirationSeconds: yearSeconds,
    });
    return kubeconfigYaml({ ...common, user: serviceAccount, namespace, credential: { token } });
  };

  const close = async (): Promise<void> => {
    stopControllers();
    await server.close();
    if (options.directory === undefined) await rm(directory, { recursive: true, force: true });
  };
  return {
    url,
    caPem: authority.certificatePem,
    clientCaPem: authority.certificatePem,
    kubeconfigYaml: adminConfig,
    kubeconfigFile,
    credentialsFor,
    pause: () => server.close(),
    compact: () => storage.compact(),
    resume: async () => {
      await server.listen(host, port);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
