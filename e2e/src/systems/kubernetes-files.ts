import { generateKeyPairSync } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CertificateAuthority } from "@interlink/cluster";
import { auditPolicy } from "./audit-log.ts";

/** What a control plane reads when it starts. Every value is a path; the keys and kubeconfigs are for their owner only. */
export interface KubernetesFiles {
  caCertificate: string;
  caKey: string;
  servingCertificate: string;
  servingKey: string;
  /** With these kube-apiserver calls kubelets. */
  kubeletClientCertificate: string;
  kubeletClientKey: string;
  serviceAccountPublicKey: string;
  serviceAccountKey: string;
  adminConfig: string;
  controllerManagerConfig: string;
  schedulerConfig: string;
  auditPolicy: string;
  auditLog: string;
  /** A kubeconfig for somebody, with a new client certificate, or with this token. */
  kubeconfigFor(
    user: string,
    groups: readonly string[],
    as: { token: string } | { seconds: number | undefined },
  ): Promise<string>;
}

/** Makes new keys, certificates and kubeconfigs for a control plane at this address, in this directory. */
export async function writeKubernetesFiles(
  directory: string,
  url: string,
): Promise<KubernetesFiles> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const write = async (name: string, text: string): Promise<string> => {
    await writeFile(join(directory, name), text, { mode: 0o600 });
    return join(directory, name);
  };
  const now = Date.now();
  const authority = await CertificateAuthority.create("kubernetes", now);
  const hosts = ["127.0.0.1", "localhost", "kubernetes", "kubernetes.default.svc"];
  const serving = await authority.issue({ commonName: "kube-apiserver", hosts }, now);
  const organizations = ["system:masters"];
  const commonName = "kube-apiserver-kubelet-client";
  const kubeletClient = await authority.issue({ commonName, organizations }, now);
  const serviceAccount = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  const config = async (file: string, user: string, groups: string[] = []): Promise<string> => {
    const client = await authority.issue({ commonName: user, organizations: groups }, now);
    return write(file, kubeconfig(url, authority.certificatePem, user, certificateOf(client)));
  };
  const kubeconfigFor: KubernetesFiles["kubeconfigFor"] = async (user, groups, as) => {
    const lifetime = "seconds" in as && as.seconds !== undefined ? { seconds: as.seconds } : {};
    const request = { commonName: user, organizations: groups, ...lifetime };
    const credential =
      "token" in as ? as : certificateOf(await authority.issue(request, Date.now()));
    return kubeconfig(url, authority.certificatePem, user, credential);
  };
  return {
    kubeconfigFor,
    auditPolicy: await write("audit-policy.json", JSON.stringify(auditPolicy)),
    auditLog: join(directory, "audit.log"),
    caCertificate: await write("ca.crt", authority.certificatePem),
    caKey: await write("ca.key", authority.keyPem),
    servingCertificate: await write("serving.crt", serving.certificatePem),
    servingKey: await write("serving.key", serving.keyPem),
    kubeletClientCertificate: await write("kubelet-client.crt", kubeletClient.certificatePem),
    kubeletClientKey: await write("kubelet-client.key", kubeletClient.keyPem),
    serviceAccountPublicKey: await write("sa.pub", serviceAccount.publicKey),
    serviceAccountKey: await write("sa.key", serviceAccount.privateKey),
    adminConfig: await config("admin.kubeconfig", "kubernetes-admin", organizations),
    controllerManagerConfig: await config(
      "controller-manager.kubeconfig",
      "system:kube-controller-manager",
    ),
    schedulerConfig: await config("scheduler.kubeconfig", "system:kube-scheduler"),
  };
}

function certificateOf(client: { certificatePem: string; keyPem: string }): object {
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  return {
    "client-certificate-data": base64(client.certificatePem),
    "client-key-data": base64(client.keyPem),
  };
}

/** JSON, which is YAML too. */
function kubeconfig(server: string, caPem: string, user: string, credential: object): string {
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      { name: "kubernetes", cluster: { server, "certificate-authority-data": base64(caPem) } },
    ],
    users: [
      {
        name: user,
        user: credential,
      },
    ],
    contexts: [{ name: user, context: { cluster: "kubernetes", user } }],
    "current-context": user,
  });
}
