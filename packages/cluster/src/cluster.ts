import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Logger, pino } from "pino";
import { Authenticator } from "./auth/authenticate.ts";
import { Authorizer } from "./auth/authorize.ts";
import { impersonated } from "./auth/impersonate.ts";
import { ServiceAccountTokens } from "./auth/service-account-tokens.ts";
import { CertificateAuthority } from "./certificates/authority.ts";
import { Discovery } from "./discovery/discovery.ts";
import { ApiServer } from "./http/api-server.ts";
import { basicPaths, discoveryPaths, issuerPaths } from "./http/paths.ts";
import { ObjectJson } from "./http/representation.ts";
import { ResourceHandler } from "./http/resource-handler.ts";
import { kubeconfigYaml } from "./kubeconfig.ts";
import { Decoder } from "./openapi/decode.ts";
import { createInitialObjects } from "./resources/bootstrap.ts";
import { definitions } from "./resources/definitions.ts";
import { ListContinuations } from "./rest/list.ts";
import { type Chance, Storage, systemChance } from "./storage/storage.ts";

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
  /** Time and randomness; tests give their own. */
  chance?: Chance;
}

/** Whom a kubeconfig is for. */
export type Subject =
  | { readonly user: string; readonly groups?: readonly string[] }
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
  const hosts = ["127.0.0.1", "::1", "localhost", "kubernetes", "kubernetes.default.svc", host];
  const [serving, admin] = await Promise.all([
    authority.issue({ commonName: "kube-apiserver", hosts: [...new Set(hosts)] }, chance.now()),
    authority.issue(
      { commonName: "kubernetes-admin", organizations: ["system:masters"] },
      chance.now(),
    ),
  ]);

  const storage = new Storage(definitions, options.watchHistorySize ?? 5000, chance);
  const tokens = new ServiceAccountTokens(storage, apiAudience);
  const authorizer = new Authorizer(storage);
  const resources = new ResourceHandler({
    storage,
    decoder: new Decoder(),
    json: new ObjectJson(),
    continuations: new ListContinuations(
      () => chance.uuid(),
      () => chance.now(),
    ),
    bookmarkIntervalMs: options.watchBookmarkIntervalMs ?? 60_000,
    subresources: new Map(),
  });
  const discovery = new Discovery(definitions, []);
  let port = options.port ?? 0;
  const server = new ApiServer({
    tls: { key: serving.keyPem, cert: serving.certificatePem, ca: authority.certificatePem },
    authenticator: new Authenticator(tokens, apiAudience),
    authorizer,
    impersonate: (identity, request) => impersonated(authorizer, identity, request),
    resources: (exchange, info) => resources.handle(exchange, info),
    paths: [basicPaths, discoveryPaths(discovery, () => `${host}:${port}`), issuerPaths(tokens)],
    logger,
  });
  port = await server.listen(host, port);
  createInitialObjects(storage, host, port);

  const url = `https://${host.includes(":") ? `[${host}]` : host}:${port}`;
  const common = { clusterName: "interlink", server: url, caPem: authority.certificatePem };
  const adminConfig = kubeconfigYaml({ ...common, user: "kubernetes-admin", credential: admin });
  const kubeconfigFile = join(directory, "admin.kubeconfig");
  await writeFile(kubeconfigFile, adminConfig, { mode: 0o600 });
  await writeFile(join(directory, "ca.crt"), authority.certificatePem);

  const credentialsFor = async (subject: Subject): Promise<string> => {
    if ("user" in subject) {
      const { user, groups = [] } = subject;
      const issued = await authority.issue(
        { commonName: user, organizations: groups },
        chance.now(),
      );
      return kubeconfigYaml({ ...common, user, credential: issued });
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
    resume: async () => {
      await server.listen(host, port);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
