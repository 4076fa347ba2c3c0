import { createHash } from "node:crypto";
import type { Pod } from "kubernetes-types/core/v1.js";

/** What marks our containers and volumes in the engine. Adoption after a restart goes by these alone. */
export const LABELS = {
  plugin: "interlink.plugin",
  uid: "interlink.pod.uid",
  pod: "interlink.pod.name",
  namespace: "interlink.pod.namespace",
  kind: "interlink.kind",
  container: "interlink.container.name",
  attempt: "interlink.container.attempt",
  imageID: "interlink.image.id",
} as const;

/** What a container of ours is, from its labels. */
export type Identity =
  | { kind: "sandbox"; uid: string }
  | { kind: "container"; uid: string; containerName: string; attempt: number; imageID?: string };

export function sandboxLabels(plugin: string, pod: Pod): Record<string, string> {
  return { ...podLabels(plugin, pod), [LABELS.kind]: "sandbox" };
}

export function containerLabels(
  plugin: string,
  spec: {
    pod: Pod;
    kind: "init" | "sidecar" | "regular" | "ephemeral";
    container: { name: string };
    attempt: number;
    imageID: string;
  },
): Record<string, string> {
  return {
    ...podLabels(plugin, spec.pod),
    [LABELS.kind]: spec.kind,
    [LABELS.container]: spec.container.name,
    [LABELS.attempt]: String(spec.attempt),
    [LABELS.imageID]: spec.imageID,
  };
}

/** `undefined`: not one that we have made. */
export function identityOf(labels: Readonly<Record<string, string>>): Identity | undefined {
  const uid = labels[LABELS.uid];
  if (uid === undefined) return undefined;
  if (labels[LABELS.kind] === "sandbox") return { kind: "sandbox", uid };
  const containerName = labels[LABELS.container];
  const attempt = Number(labels[LABELS.attempt]);
  if (containerName === undefined || !Number.isInteger(attempt) || attempt < 0) return undefined;
  const imageID = labels[LABELS.imageID];
  return {
    kind: "container",
    uid,
    containerName,
    attempt,
    ...(imageID !== undefined && { imageID }),
  };
}

/** Filter for the engine: what this plugin has made, of one pod or of all. */
export function ownFilter(plugin: string, uid?: string): { label: string[] } {
  return {
    label: [`${LABELS.plugin}=${plugin}`, ...(uid === undefined ? [] : [`${LABELS.uid}=${uid}`])],
  };
}

/** The same name for the same attempt, so that the engine itself refuses to make it twice. */
export function containerEngineName(pod: Pod, containerName: string, attempt: number): string {
  return engineName([containerName, ...podParts(pod), String(attempt)]);
}

export function sandboxEngineName(pod: Pod): string {
  return engineName(["POD", ...podParts(pod)]);
}

/** The volume with the files of a pod, and the container that is the way into it, on an engine elsewhere. */
export function filesEngineName(uid: string): string {
  return engineName(["FILES", uid]);
}

export function filesLabels(plugin: string, pod: Pod): Record<string, string> {
  return { ...podLabels(plugin, pod), [LABELS.kind]: "files" };
}

/** A memory-backed emptyDir as a volume of the engine. */
export function volumeEngineName(uid: string, volume: string): string {
  return engineName([uid, volume]);
}

function podLabels(plugin: string, pod: Pod): Record<string, string> {
  const { uid = "", name = "", namespace = "" } = pod.metadata ?? {};
  return {
    [LABELS.plugin]: plugin,
    [LABELS.uid]: uid,
    [LABELS.pod]: name,
    [LABELS.namespace]: namespace,
  };
}

function podParts(pod: Pod): string[] {
  const { uid = "", name = "", namespace = "" } = pod.metadata ?? {};
  // For people; the UID is what tells pods apart, so a long name may be cut.
  return [name.slice(0, 63), namespace, uid];
}

/**
 * Engines take letters, digits, `_`, `.` and `-`. Underscores part the pieces, which Kubernetes names never hold; any
 * other character is replaced, and a digest then keeps different names different.
 */
function engineName(parts: readonly string[]): string {
  const joined = `interlink_${parts.join("_")}`;
  const safe = joined.replaceAll(/[^A-Za-z0-9_.-]/g, "-");
  const plain = parts.every((part) => /^[A-Za-z0-9.-]*$/.test(part)) && safe.length <= 255;
  if (plain) return safe;
  const digest = createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 16);
  return `${safe.slice(0, 230)}_${digest}`;
}
