import { Type } from "typebox";
import { ZERO_TIME } from "../messages.ts";

// Names end up in paths, job names and container names, so their alphabet is closed. Lengths stand in a lookahead at
// the front: a pattern must not work through megabytes before a length limit is looked at.

/** RFC 1123 label: namespaces, containers, volumes. */
export const DnsLabel = Type.String({
  pattern: "^(?=.{1,63}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
  description: "DNS label: lower-case letters, digits and '-', at most 63",
});

/** RFC 1123 subdomain: pods, ConfigMaps, Secrets. */
export const DnsSubdomain = Type.String({
  pattern: "^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
  description: "DNS subdomain: DNS labels joined by '.', at most 253 characters",
});

/**
 * A pod's UID. Kubernetes makes UUIDs, static and mirror pods have other tokens; what matters here is that it is safe
 * as a file name and as a label value.
 */
export const PodUid = Type.String({
  pattern: "^[A-Za-z0-9][A-Za-z0-9-]{0,62}$",
  description: "pod UID: letters, digits and '-', at most 63",
});

/** Keys of ConfigMap and Secret data (Kubernetes: IsConfigMapKey). */
export const DataKey = Type.String({
  pattern: "^(?!\\.{1,2}$)(?!\\.\\.)[-._a-zA-Z0-9]{1,253}$",
});

/** Paths inside a projected volume: relative, no step upwards. */
export const ProjectedPath = Type.String({
  pattern: "^(?=[^\\0]{1,1024}$)(?!/)(?!([^\\0]*/)?\\.\\.(/|$))[^\\0]+$",
});

/** RFC 3339, as Go's and Kubernetes' decoders accept it. */
const rfc3339 = {
  pattern: "^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d{1,12})?(Z|[+-]\\d{2}:\\d{2})$",
  description: "RFC 3339 time",
};
export const Rfc3339 = Type.String(rfc3339);

/** A time that Go writes as {@link ZERO_TIME} when it was never set. */
export const GoTime = Type.String({ ...rfc3339, default: ZERO_TIME });

/** Bounds of lists: far above what Kubernetes objects of at most 1.5 MB can hold, far below what hurts. */
export const LIMITS = {
  containersPerPod: 500,
  volumesPerPod: 1_000,
  mountsPerContainer: 1_000,
  envPerContainer: 50_000,
  objectsPerPod: 2_000,
  podsPerRequest: 20_000,
  keysPerObject: 50_000,
} as const;
