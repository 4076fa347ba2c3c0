import { resolve } from "node:path";
import { CliError } from "./cli-error.ts";

/** Where a server listens. Port 0: any free one. */
export type ListenAddress = { host: string; port: number } | { unixSocket: string; mode?: number };

/** `host:port`, `[::1]:port`, `:port` (all addresses) or `unix:///path`. */
export function parseListen(text: string): ListenAddress {
  if (text.startsWith("unix:")) {
    const path = text.replace(/^unix:(\/\/)?/, "");
    if (path !== "") return { unixSocket: resolve(path) };
  }
  const match = /^(?:\[(?<six>[0-9a-fA-F:.]+)\]|(?<host>[^:[\]/\s]*)):(?<port>\d{1,5})$/.exec(text);
  const port = Number(match?.groups?.["port"]);
  if (match === null || port > 65_535) {
    throw new CliError(
      "usage",
      `"${text}" is no address to listen on: give host:port, for instance 127.0.0.1:3000, or unix:///path/to.sock.`,
    );
  }
  return { host: match.groups?.["six"] ?? (match.groups?.["host"] || "0.0.0.0"), port };
}

/** A port number of the command line. */
export function parsePort(text: string, option: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(port) || port > 65_535) {
    throw new CliError("usage", `${option}: "${text}" is no port; give a number from 0 to 65535.`);
  }
  return port;
}

/** The address with the mode of its socket file, as octal digits. */
export function withSocketMode(address: ListenAddress, mode: string | undefined): ListenAddress {
  if (mode === undefined || !("unixSocket" in address)) return address;
  if (!/^0?[0-7]{3}$/.test(mode)) {
    throw new CliError(
      "usage",
      `"${mode}" is no mode of a socket file: give octal digits, for instance 0660.`,
    );
  }
  return { ...address, mode: Number.parseInt(mode, 8) };
}
