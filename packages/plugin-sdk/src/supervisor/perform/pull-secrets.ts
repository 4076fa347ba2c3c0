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

/** The default of Kubernetes: `Always` for `:latest` and for no tag, else `IfNotPresent`. */
export function pullPolicy(
  image: string,
  policy: string | undefined,
): "Always" | "IfNotPresent" | "Never" {
  if (policy === "Always" || policy === "IfNotPresent" || policy === "Never") return policy;
  if (image.includes("@")) return "IfNotPresent";
  const tag = image.slice(image.lastIndexOf("/") + 1).split(":")[1];
  return tag === undefined || tag === "latest" ? "Always" : "IfNotPresent";
}
