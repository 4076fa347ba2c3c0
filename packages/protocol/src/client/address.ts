import { ProtocolError } from "../errors.ts";

/** Where a peer listens: a TCP origin, or a unix socket (whose HTTP host is literally `unix`, as Go peers write it). */
export type PeerAddress =
  | { kind: "tcp"; origin: string; basePath: string; tls: boolean }
  | { kind: "unix"; origin: "http://unix"; basePath: ""; socketPath: string };

/**
 * Reads `http://host[:port][/prefix]`, `https://…`, `unix:///absolute/path` and `unix://relative/path`.
 * Throws ProtocolError `invalid` with the accepted forms.
 */
export function parseAddress(address: string): PeerAddress {
  if (address.startsWith("unix://")) {
    const socketPath = address.slice("unix://".length);
    if (socketPath === "" || socketPath.includes("\0")) throw badAddress(address);
    return { kind: "unix", origin: "http://unix", basePath: "", socketPath };
  }
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (
    url === undefined ||
    (url.protocol !== "http:" && url.protocol !== "https:") ||
    url.username !== "" ||
    url.password !== "" ||
    url.search !== "" ||
    url.hash !== ""
  ) {
    throw badAddress(address);
  }
  const basePath = url.pathname.replace(/\/+$/, "");
  return { kind: "tcp", origin: url.origin, basePath, tls: url.protocol === "https:" };
}

function badAddress(address: string): ProtocolError {
  const shown = address.replace(/\/\/[^@/]*@/, "//…@").slice(0, 200);
  return new ProtocolError(
    "invalid",
    `the address "${shown}" is not one of http://host:port, https://host:port, unix:///path/to/socket`,
  );
}
