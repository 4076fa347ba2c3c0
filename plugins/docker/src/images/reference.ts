/** An image's name, taken apart and made complete. */
export interface ImageReference {
  /** e.g. `docker.io`, `127.0.0.1:5000`. */
  domain: string;
  /** e.g. `library/busybox`. */
  path: string;
  /** Absent only if there is a digest. */
  tag?: string;
  /** e.g. `sha256:…`. */
  digest?: string;
}

const DEFAULT_DOMAIN = "docker.io";
const DOMAIN_PART = "(?:[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9-]*[A-Za-z0-9])";
const DOMAIN = new RegExp(
  `^(?:${DOMAIN_PART}(?:\\.${DOMAIN_PART})*|\\[[0-9a-fA-F:]+\\])(?::[0-9]+)?$`,
);
const PATH = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const DIGEST = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;
const LONGEST_NAME = 255;

/** By the grammar of container engines (distribution/reference). `undefined`: not the name of an image. */
export function parseReference(text: string): ImageReference | undefined {
  if (/^[0-9a-f]{64}$/.test(text)) return undefined; // reads as an id, which is not a name
  const at = text.indexOf("@");
  const digest = at < 0 ? undefined : text.slice(at + 1);
  const named = at < 0 ? text : text.slice(0, at);
  const colon = named.lastIndexOf(":");
  const hasTag = colon > named.lastIndexOf("/");
  const tag = hasTag ? named.slice(colon + 1) : undefined;
  const { domain, path } = splitDomain(hasTag ? named.slice(0, colon) : named);
  const valid =
    DOMAIN.test(domain) &&
    PATH.test(path) &&
    domain.length + path.length < LONGEST_NAME &&
    (tag === undefined || TAG.test(tag)) &&
    (digest === undefined || DIGEST.test(digest));
  if (!valid) return undefined;
  if (digest !== undefined) return { domain, path, ...(tag !== undefined && { tag }), digest };
  return { domain, path, tag: tag ?? "latest" };
}

/** The whole name with domain, e.g. `docker.io/library/busybox:latest`. A digest stands for itself, without tag. */
export function showReference({ domain, path, tag, digest }: ImageReference): string {
  return digest === undefined ? `${domain}/${path}:${tag}` : `${domain}/${path}@${digest}`;
}

/** The first part is a domain if it has a dot or a port, or is `localhost` or not in lower case. */
function splitDomain(name: string): { domain: string; path: string } {
  const slash = name.indexOf("/");
  const first = slash < 0 ? "" : name.slice(0, slash);
  if (
    first !== "" &&
    (/[.:]/.test(first) || first === "localhost" || first !== first.toLowerCase())
  ) {
    const domain = first === "index.docker.io" ? DEFAULT_DOMAIN : first;
    const path = name.slice(slash + 1);
    return { domain, path: domain === DEFAULT_DOMAIN ? officialPath(path) : path };
  }
  return { domain: DEFAULT_DOMAIN, path: officialPath(name) };
}

function officialPath(path: string): string {
  return path.includes("/") ? path : `library/${path}`;
}
