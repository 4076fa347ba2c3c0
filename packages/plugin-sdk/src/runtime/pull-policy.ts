/**
 * `imagePullPolicy` of a container, with the default that Kubernetes writes into pods when they are created
 * (`pkg/apis/core/v1/defaults.go`): `Always` for the tag `latest` and for none, else `IfNotPresent`. A digest never
 * changes what it names, so it needs no second pull whatever the tag before it. `image` may have a scheme (`docker://`).
 */
export function pullPolicy(
  image: string,
  policy: string | undefined,
): "Always" | "IfNotPresent" | "Never" {
  if (policy === "Always" || policy === "IfNotPresent" || policy === "Never") return policy;
  if (image.includes("@")) return "IfNotPresent";
  const tag = image.slice(image.lastIndexOf("/") + 1).split(":")[1];
  return tag === undefined || tag === "latest" ? "Always" : "IfNotPresent";
}
