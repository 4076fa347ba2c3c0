import { stringify } from "yaml";

/** How a kubeconfig's user proves who it is. */
export type Credential =
  | { readonly certificatePem: string; readonly keyPem: string }
  | { readonly token: string };

export interface KubeconfigParts {
  readonly clusterName: string;
  readonly server: string;
  readonly caPem: string;
  readonly user: string;
  readonly credential: Credential;
  readonly namespace?: string;
}

function base64(text: string): string {
  return Buffer.from(text, "utf8").toString("base64");
}

/** A kubeconfig with everything inside it: no further files. It holds a secret. */
export function kubeconfigYaml(parts: KubeconfigParts): string {
  const { clusterName, server, caPem, user, credential, namespace } = parts;
  const name = `${user}@${clusterName}`;
  const secret =
    "token" in credential
      ? { token: credential.token }
      : {
          "client-certificate-data": base64(credential.certificatePem),
          "client-key-data": base64(credential.keyPem),
        };
  return stringify(
    {
      apiVersion: "v1",
      kind: "Config",
      clusters: [
        { name: clusterName, cluster: { server, "certificate-authority-data": base64(caPem) } },
      ],
      users: [{ name: user, user: secret }],
      contexts: [
        { name, context: { cluster: clusterName, user, ...(namespace ? { namespace } : {}) } },
      ],
      "current-context": name,
    },
    { lineWidth: 0 },
  );
}
