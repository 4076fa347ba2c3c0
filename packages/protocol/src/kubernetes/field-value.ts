import type { Pod } from "kubernetes-types/core/v1.js";
import { goQuote } from "./go-quote.ts";

/** Addresses as far as whoever asks knows them. */
export interface FieldAddresses {
  podIPs: readonly string[];
  hostIPs: readonly string[];
}

/** Fields that only the site knows for sure; a plugin with the feature `pod-ip-env` fills them in itself. */
export const ADDRESS_FIELDS: ReadonlySet<string> = new Set([
  "status.podIP",
  "status.podIPs",
  "status.hostIP",
  "status.hostIPs",
]);

/**
 * The value of a `fieldRef`, in env and in downward API files (Kubernetes `pkg/fieldpath/fieldpath.go`, kubelet
 * `podFieldSelectorRuntimeValue`); `undefined` for a path that does not exist. A missing label or annotation is "".
 */
export function fieldValue(pod: Pod, path: string, addresses: FieldAddresses): string | undefined {
  const { metadata = {}, spec } = pod;
  const subscript = /^metadata\.(labels|annotations)\['(.*)'\]$/s.exec(path);
  if (subscript) {
    const [, kind, key = ""] = subscript;
    const map = (kind === "labels" ? metadata.labels : metadata.annotations) ?? {};
    // `constructor` is a name that a label may have.
    return Object.hasOwn(map, key) ? map[key] : "";
  }
  switch (path) {
    case "metadata.name":
      return metadata.name ?? "";
    case "metadata.namespace":
      return metadata.namespace ?? "";
    case "metadata.uid":
      return metadata.uid ?? "";
    case "metadata.labels":
      return formatMap(metadata.labels ?? {});
    case "metadata.annotations":
      return formatMap(metadata.annotations ?? {});
    case "spec.nodeName":
      return spec?.nodeName ?? "";
    case "spec.serviceAccountName":
      return spec?.serviceAccountName ?? "";
    case "status.podIP":
      return addresses.podIPs[0] ?? "";
    case "status.podIPs":
      return addresses.podIPs.join(",");
    case "status.hostIP":
      return addresses.hostIPs[0] ?? "";
    case "status.hostIPs":
      return addresses.hostIPs.join(",");
    default:
      return undefined;
  }
}

/** Lines `key="value"`, sorted by key, no newline at the end. */
function formatMap(map: Readonly<Record<string, string>>): string {
  return Object.keys(map)
    .sort()
    .map((key) => `${key}=${goQuote(map[key] ?? "")}`)
    .join("\n");
}
