import { generateKeyPairSync } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CertificateAuthority } from "@interlink/cluster";

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
    return write(file, kubeconfig(url, authority.certificatePem, user, client));
  };
  return {
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

/** JSON, which is YAML too. */
function kubeconfig(
  server: string,
  caPem: string,
  user: string,
  client: { certificatePem: string; keyPem: string },
): string {
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
        user: {
          "client-certificate-data": base64(client.certificatePem),
          "client-key-data": base64(client.keyPem),
        },
      },
    ],
    contexts: [{ name: user, context: { cluster: "kubernetes", user } }],
    "current-context": user,
  });
}
