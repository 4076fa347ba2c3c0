/** Which pod a message of the wire is about. */
export interface AboutPod {
  pod: string;
  uid: string;
}

interface Metadata {
  name?: unknown;
  namespace?: unknown;
  uid?: unknown;
}

/** The pod of a create, an update, a deletion, a log or a stream; `undefined` for what is about many, or about none. */
export function aboutPod(message: unknown): AboutPod | undefined {
  if (typeof message !== "object" || message === null) return undefined;
  const { pod, metadata, Namespace, PodName, PodUID } = message as {
    pod?: { metadata?: Metadata | null } | null;
    metadata?: Metadata | null;
    Namespace?: unknown;
    PodName?: unknown;
    PodUID?: unknown;
  };
  const found = pod?.metadata ?? metadata;
  if (found !== undefined && found !== null) return told(found.namespace, found.name, found.uid);
  return PodUID === undefined ? undefined : told(Namespace, PodName, PodUID);
}

function told(namespace: unknown, name: unknown, uid: unknown): AboutPod | undefined {
  if (typeof namespace !== "string" || typeof name !== "string" || typeof uid !== "string") {
    return undefined;
  }
  return { pod: `${namespace}/${name}`, uid };
}

/** The same as attributes of a span, by the names of the existing programs. */
export function podAttributes(message: unknown): Record<string, string> {
  const about = aboutPod(message);
  if (about === undefined) return {};
  const [namespace = "", name = ""] = about.pod.split("/");
  return { "pod.name": name, "pod.namespace": namespace, "pod.uid": about.uid };
}
