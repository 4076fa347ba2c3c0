/**
 * The address that a URL and a port of existing files make together: `http://host` and `3000`. A URL that has a port, and
 * a socket, stay as they are (charts write `unix:///path` with a port that means nothing).
 */
export function siteAddress(url: string, port: string | undefined): string {
  if (url.startsWith("unix://") || port === undefined) return url;
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  // Half a scheme is a mistake, and left as it is to be refused. An address without a scheme is a host.
  if (parsed === undefined && url.includes("//")) return url;
  if (parsed === undefined || parsed.host === "") return `http://${url}:${port}`;
  const [, origin = "", path = ""] = /^([^/]+\/\/[^/]*)(.*?)\/*$/.exec(url) ?? [];
  // Behind the port may stand a path: `3000/plugins/gpu`, which the existing node takes as well.
  return /:\d+$/.test(origin) ? `${origin}${path}` : `${origin}:${port}${path}`;
}

/** The same as an address to listen on: `host:port`, `:port` for no host, or `unix:///path`. */
export function listenAddress(url: string, port: string | undefined): string {
  if (url.startsWith("unix://")) return url;
  if (url === "") return `:${port}`;
  return siteAddress(url, port).replace(/^https?:\/\//, "");
}
