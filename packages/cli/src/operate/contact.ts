import { type ClientRequest, get as httpGet, type IncomingMessage } from "node:http";
import { get as httpsGet } from "node:https";
import { isIP } from "node:net";
import { checkServerIdentity, type PeerCertificate } from "node:tls";
import { parseAddress, type TlsOptions } from "@interlink/protocol";
import { PROBE_MS } from "./answered.ts";
import type { CertificateFacts, Contact } from "./facts.ts";

/** How a peer is to be spoken to. */
export interface ContactOptions {
  tls?: TlsOptions;
  signal: AbortSignal;
  now: () => number;
}

/**
 * Opens a connection and asks for `/healthz`: whatever is answered tells the other side's clock, and over TLS its
 * certificate. Throws what the system or TLS said, with its code.
 */
export async function contact(
  address: string,
  { tls, signal, now }: ContactOptions,
): Promise<Contact> {
  const peer = parseAddress(address);
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(PROBE_MS)]);
  let certificate: CertificateFacts | undefined;
  const options = { signal: deadline, agent: false, headers: { connection: "close" } };
  const ask = (answer: (message: IncomingMessage) => void): ClientRequest => {
    if (peer.kind === "unix") {
      return httpGet({ ...options, socketPath: peer.socketPath, path: "/healthz" }, answer);
    }
    const url = `${peer.origin}${peer.basePath}/healthz`;
    if (!peer.tls) return httpGet(url, options, answer);
    const { ca, cert, key, serverName, insecure } = tls ?? {};
    const host = new URL(url).hostname.replace(/^\[|\]$/g, "");
    return httpsGet(
      url,
      {
        ...options,
        ...(ca === undefined ? {} : { ca }),
        ...(cert === undefined ? {} : { cert }),
        ...(key === undefined ? {} : { key }),
        ...(serverName === undefined && isIP(host) !== 0 ? {} : { servername: serverName ?? host }),
        rejectUnauthorized: insecure !== true,
        checkServerIdentity: (name, shown) => {
          certificate = certificateFacts(shown);
          if (insecure === true || checkServerIdentity(name, shown) === undefined) return undefined;
          return otherName(certificate);
        },
      },
      answer,
    );
  };
  const message = await new Promise<IncomingMessage>((resolve, reject) => {
    ask(resolve).on("error", (error) => {
      reject(deadline.aborted && !signal.aborted ? silent(error) : error);
    });
  });
  const { statusCode = 0, headers } = message;
  message.resume();
  message.destroy();
  const told = headers.date === undefined ? Number.NaN : Date.parse(headers.date);
  return {
    httpStatus: statusCode,
    ...(Number.isNaN(told) ? {} : { clockAheadSeconds: Math.round((told - now()) / 1_000) }),
    ...(certificate === undefined ? {} : { certificate }),
  };
}

function silent(cause: Error): Error {
  return Object.assign(new Error(`nothing was answered within ${PROBE_MS / 1_000} s`, { cause }), {
    code: "ETIMEDOUT",
  });
}

/** Node's own sentence leaves the names out where an IP address was asked for. */
function otherName({ names, subject }: CertificateFacts): Error {
  return Object.assign(new Error(`it is for ${names ?? `CN=${subject}`}`), {
    code: "ERR_TLS_CERT_ALTNAME_INVALID",
  });
}

function certificateFacts({
  valid_to,
  subject,
  subjectaltname,
}: PeerCertificate): CertificateFacts {
  const { CN: name } = (subject ?? {}) as { CN?: string | string[] };
  return {
    notAfter: new Date(valid_to).toISOString(),
    subject: String(name ?? ""),
    ...(subjectaltname === undefined ? {} : { names: subjectaltname }),
  };
}
