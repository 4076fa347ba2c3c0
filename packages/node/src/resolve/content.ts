import { createHash } from "node:crypto";
import { allContainers, CONTENT_ANNOTATION, type PodCreateRequest } from "@interlink/protocol";
import type { ConfigMap, Container, Secret } from "kubernetes-types/core/v1.js";

/** What the site has of a pod, as far as it may change while the pod runs. */
export interface ContentStamp {
  hash: string;
  /** When its tokens are to be renewed, milliseconds since the epoch; `undefined`: it has none. */
  renewAt: number | undefined;
}

/**
 * A hash of all that a running pod's site must be told of when it changes: the contents of its volumes and its
 * containers' environments and images. Tokens are left out, for they differ each time, and so is what no file shows
 * (versions, labels of ConfigMaps).
 */
export function contentHash(request: PodCreateRequest): string {
  const { pod, configmaps, secrets, projectedvolumesmaps } = request;
  const tokens = tokenPaths(request);
  const content = [
    configmaps.map((one) => contentOf(one)),
    secrets.map((one) => contentOf(one)),
    projectedvolumesmaps.map((one) => contentOf(one, tokens.get(one.metadata?.name ?? ""))),
    allContainers(pod).map(environmentOf),
  ];
  return createHash("sha256").update(JSON.stringify(content)).digest("base64url");
}

/** Which tokens a request carries; the same for the same tokens. */
export function tokensHash(request: PodCreateRequest): string {
  const hash = createHash("sha256");
  for (const [volume, paths] of tokenPaths(request)) {
    const map = request.projectedvolumesmaps.find(({ metadata }) => metadata?.name === volume);
    for (const path of paths) hash.update(`${map?.data?.[path] ?? ""}\0`);
  }
  return hash.digest("base64url");
}

/** The request with the node's word for its content on the pod ({@link CONTENT_ANNOTATION}). */
export function withContent(request: PodCreateRequest, stamp: ContentStamp): PodCreateRequest {
  const { metadata, ...pod } = request.pod;
  const annotations = { ...metadata?.annotations, [CONTENT_ANNOTATION]: writeStamp(stamp) };
  return { ...request, pod: { ...pod, metadata: { ...metadata, annotations } } };
}

export function writeStamp({ hash, renewAt }: ContentStamp): string {
  return `1 ${hash}${renewAt === undefined ? "" : ` ${Math.round(renewAt)}`}`;
}

/** `undefined` for what another version of this program wrote. */
export function readStamp(text: string | undefined): ContentStamp | undefined {
  const [, hash, renewAt] = /^1 ([\w-]{43})(?: (\d{1,16}))?$/.exec(text ?? "") ?? [];
  if (hash === undefined) return undefined;
  return { hash, renewAt: renewAt === undefined ? undefined : Number(renewAt) };
}

/** By volume, the paths of its service account tokens. */
function tokenPaths({ pod }: PodCreateRequest): Map<string, Set<string>> {
  return new Map(
    (pod.spec?.volumes ?? []).map(({ name, projected }) => [
      name,
      new Set((projected?.sources ?? []).flatMap((one) => one.serviceAccountToken?.path ?? [])),
    ]),
  );
}

function contentOf(
  { metadata, data, ...rest }: ConfigMap | Secret,
  without: ReadonlySet<string> = new Set(),
): unknown[] {
  const shown = sorted(data).filter(([key]) => !without.has(key));
  return [metadata?.name, shown, "binaryData" in rest ? sorted(rest.binaryData) : []];
}

function environmentOf({ name, image, env = [], envFrom = [] }: Container): unknown[] {
  return [name, image, env, envFrom];
}

function sorted(entries: Readonly<Record<string, string>> | undefined): [string, string][] {
  return Object.entries(entries ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1));
}
