import { CliError } from "./cli-error.ts";
import type { ListenAddress } from "./listen.ts";

/**
 * The warning of a server that asks nobody who it is; `undefined` for a unix socket, whose file has a mode. Throws
 * `CliError` `usage` where that was not said in so many words: `allowed`, or a configuration file of the existing
 * programs, which ask nobody, with an address that others reach.
 */
export function anonymous(server: {
  listen: ListenAddress;
  /** The address is from the command line. */
  isByFlag: boolean;
  allowed: boolean | undefined;
  /** How to say who may call, for the message. */
  how: string;
}): string | undefined {
  const { listen, isByFlag, allowed, how } = server;
  if ("unixSocket" in listen) return undefined;
  const isOwn = ["127.0.0.1", "::1", "localhost"].includes(listen.host);
  if (allowed === false || (allowed !== true && isByFlag && !isOwn)) {
    throw new CliError(
      "usage",
      `Who may run pods at ${listen.host}:${listen.port}? To say who, ${how}; to let in anyone who reaches it, --allow-anonymous.`,
    );
  }
  const who = isOwn ? "every user of this machine" : "anyone who reaches this port";
  return `${who} may run pods here: ${how}`;
}
