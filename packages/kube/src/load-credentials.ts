import { access } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { readCredentialFile, rereadFile } from "./credential-files.ts";
import type { CredentialSource, KubeCredentials } from "./credentials.ts";
import { KubeError } from "./errors.ts";
import { followKubeconfig } from "./follow-kubeconfig.ts";
import { readKubeconfig } from "./kubeconfig.ts";
import { withRenewedCertificate } from "./renewed-certificate.ts";

type KubeconfigSource = Extract<CredentialSource, { kubeconfigFile: string }>;

/** The world that credentials are read from; tests give their own. */
export interface CredentialWorld {
  env: Readonly<Record<string, string | undefined>>;
  home: string;
  serviceAccountDir: string;
  now: () => number;
}

const realWorld = (): CredentialWorld => ({
  env: process.env,
  home: homedir(),
  serviceAccountDir: "/var/run/secrets/kubernetes.io/serviceaccount",
  now: Date.now,
});

/**
 * Reads credentials. Simple kubeconfigs and in-cluster credentials are read here; exec plugins, auth providers and
 * merged kubeconfigs go through client-node, which costs 0.6 s to import and is imported only then.
 * Throws KubeError `credentials`.
 */
export async function loadKubeCredentials(
  source: CredentialSource,
  world: CredentialWorld = realWorld(),
): Promise<KubeCredentials> {
  if (source === "in-cluster") return inCluster(world);
  if (source === "default") return defaultCredentials(world);
  if ("kubeconfigYaml" in source)
    return (
      (await readKubeconfig(source.kubeconfigYaml, source.context, process.cwd(), world.now)) ??
      viaClientNode(source)
    );
  const read = () => readKubeconfigFile(source, world);
  const first = await read();
  return first === undefined ? viaClientNode(source) : followKubeconfig(first, read, world.now);
}

async function readKubeconfigFile(
  { kubeconfigFile, context, renewedCertificateFile }: KubeconfigSource,
  { now }: CredentialWorld,
): Promise<KubeCredentials | undefined> {
  const text = await readCredentialFile(kubeconfigFile);
  const credentials = await readKubeconfig(text, context, join(kubeconfigFile, ".."), now);
  return credentials === undefined || renewedCertificateFile === undefined
    ? credentials
    : withRenewedCertificate(credentials, renewedCertificateFile, now);
}

async function defaultCredentials(world: CredentialWorld): Promise<KubeCredentials> {
  const listed = (world.env["KUBECONFIG"] ?? "").split(delimiter).filter((file) => file !== "");
  const [first] = listed;
  if (listed.length > 1) return viaClientNode("default");
  if (first !== undefined) return loadKubeCredentials({ kubeconfigFile: first }, world);
  const usual = join(world.home, ".kube", "config");
  if (await exists(usual)) return loadKubeCredentials({ kubeconfigFile: usual }, world);
  if (world.env["KUBERNETES_SERVICE_HOST"] !== undefined) return inCluster(world);
  throw new KubeError(
    "credentials",
    `No Kubernetes credentials: KUBECONFIG is not set, ${usual} does not exist, and this is not a pod. Set KUBECONFIG to a kubeconfig file.`,
  );
}

function inCluster(world: CredentialWorld): KubeCredentials {
  const host = world.env["KUBERNETES_SERVICE_HOST"];
  const port = world.env["KUBERNETES_SERVICE_PORT"] ?? "443";
  if (host === undefined || host === "")
    throw new KubeError(
      "credentials",
      "No in-cluster credentials: KUBERNETES_SERVICE_HOST is not set. Run in a pod with a service account, or give a kubeconfig.",
    );
  const token = rereadFile(join(world.serviceAccountDir, "token"), world.now);
  return {
    server: `https://${host.includes(":") ? `[${host}]` : host}:${port}`,
    tls: async () => ({ ca: await readCredentialFile(join(world.serviceAccountDir, "ca.crt")) }),
    authorization: async () => `Bearer ${(await token.value()).trim()}`,
    forget: () => token.forget(),
  };
}

async function viaClientNode(
  source: Exclude<CredentialSource, "in-cluster">,
): Promise<KubeCredentials> {
  const { clientNodeCredentials } = await import("./client-node-credentials.ts");
  return clientNodeCredentials(source);
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
