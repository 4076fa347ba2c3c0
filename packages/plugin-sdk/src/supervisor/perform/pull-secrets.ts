import type { RetrievedPodData } from "@interlink/protocol";

/**
 * `dockerconfigjson` contents of those imagePullSecrets that came with the pod, in the pod's order. From a server
 * without `pull-secrets` only those come that a container mounts.
 */
export function pullSecretsOf(data: RetrievedPodData): string[] {
  const mounted = data.container.flatMap((container) => container.secrets);
  const secrets = [...(data.pullSecrets ?? []), ...mounted];
  return (data.pod.spec?.imagePullSecrets ?? []).flatMap(({ name }) => {
    const secret = secrets.find((candidate) => candidate.metadata?.name === name);
    const encoded = secret?.data?.[".dockerconfigjson"];
    return encoded === undefined ? [] : [Buffer.from(encoded, "base64").toString("utf8")];
  });
}
