import type { ImageReference } from "./reference.ts";

/** What the engine takes as `X-Registry-Auth`. Never logged. */
export interface RegistryCredentials {
  username?: string;
  password?: string;
  identitytoken?: string;
  serveraddress: string;
}

/**
 * The credentials in these pull secrets that apply to an image, the most specific of each secret first, by the
 * kubelet's rules (Kubernetes `pkg/credentialprovider/keyring.go`): keys are hosts, with port and path prefix if given,
 * and with `*` inside the parts of a host name. A secret that cannot be read has none.
 */
export function credentialsFor(
  reference: ImageReference,
  pullSecrets: readonly string[],
): RegistryCredentials[] {
  return pullSecrets.flatMap((secret) =>
    Object.entries(readAuths(secret))
      .map(([key, value]) => ({ place: readKey(key), key, value }))
      .filter(({ place }) => matches(place, reference))
      .sort((a, b) => b.place.path.length - a.place.path.length)
      .flatMap(({ key, value }) => readEntry(key, value)),
  );
}

interface Place {
  host: string;
  path: string;
}

function readAuths(secret: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(secret);
    if (!isRecord(parsed)) return {};
    // The older format, kubernetes.io/dockercfg, is the map itself.
    return isRecord(parsed.auths) ? parsed.auths : parsed;
  } catch {
    return {};
  }
}

function readKey(key: string): Place {
  const bare = key.replace(/^https?:\/\//, "").replace(/\/+$/, "");
  const slash = bare.indexOf("/");
  const host = slash < 0 ? bare : bare.slice(0, slash);
  const path = slash < 0 ? "" : bare.slice(slash);
  return {
    host: host === "index.docker.io" || host === "registry-1.docker.io" ? "docker.io" : host,
    // Some logins write the version of the registry's API.
    path: path === "/v1" || path === "/v2" ? "" : path,
  };
}

function matches(place: Place, { domain, path }: ImageReference): boolean {
  const [host = "", port = ""] = place.host.split(":");
  const [imageHost = "", imagePort = ""] = domain.split(":");
  const parts = host.split(".");
  const imageParts = imageHost.split(".");
  return (
    port === imagePort &&
    parts.length === imageParts.length &&
    parts.every((part, i) => globMatches(part, imageParts[i] ?? "")) &&
    (place.path === "" || `/${path}`.startsWith(place.path))
  );
}

/** `*` for any characters; all others for themselves. */
export function globMatches(pattern: string, text: string): boolean {
  const [first = "", ...rest] = pattern.split("*");
  if (rest.length === 0) return pattern === text;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  const last = rest.pop() ?? "";
  for (const piece of rest) {
    const found = text.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}

function readEntry(key: string, value: unknown): RegistryCredentials[] {
  if (!isRecord(value)) return [];
  const text = (name: string): string | undefined =>
    typeof value[name] === "string" && value[name] !== "" ? value[name] : undefined;
  const identitytoken = text("identitytoken");
  if (identitytoken !== undefined) return [{ identitytoken, serveraddress: key }];
  let username = text("username");
  let password = text("password");
  const auth = text("auth");
  if ((username === undefined || password === undefined) && auth !== undefined) {
    const decoded = Buffer.from(auth, "base64").toString("utf8");
    const colon = decoded.indexOf(":");
    if (colon > 0) {
      username = decoded.slice(0, colon);
      password = decoded.slice(colon + 1).replace(/\0+$/, "");
    }
  }
  if (username === undefined || password === undefined) return [];
  return [{ username, password, serveraddress: key }];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
