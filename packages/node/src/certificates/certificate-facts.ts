import { createPrivateKey, X509Certificate } from "node:crypto";
import { isIP } from "node:net";

/** A certificate (its chain may follow) and its private key, PEM. */
export interface KeyPair {
  cert: string;
  key: string;
}

/** What is to be known of a certificate to use it. */
export interface CertificateFacts {
  /** Milliseconds since the epoch. */
  notBefore: number;
  notAfter: number;
  /** Whether it is for this user name: its common name. */
  isFor(commonName: string): boolean;
  /** Whether a client that dials each of these names and addresses would take it. */
  covers(hosts: readonly string[]): boolean;
}

/** Throws when it is no certificate, or the key is not its key. */
export function certificateFacts({ cert, key }: KeyPair): CertificateFacts {
  const certificate = new X509Certificate(cert);
  if (!certificate.checkPrivateKey(createPrivateKey(key)))
    throw new Error("the key is not the key of the certificate");
  const coversOne = (host: string): boolean =>
    isIP(host) === 0
      ? certificate.checkHost(host, { subject: "never" }) !== undefined
      : certificate.checkIP(host) !== undefined;
  return {
    notBefore: Date.parse(certificate.validFrom),
    notAfter: Date.parse(certificate.validTo),
    isFor: (commonName) => certificate.subject.split("\n").includes(`CN=${commonName}`),
    covers: (hosts) => hosts.every(coversOne),
  };
}

/** When to ask for the next one: somewhere in 70–90 % of its life, so that not all nodes ask at once. `random`: 0 to 1. */
export function renewalTime(
  { notBefore, notAfter }: Pick<CertificateFacts, "notBefore" | "notAfter">,
  random: number,
): number {
  return notBefore + (notAfter - notBefore) * (0.7 + 0.2 * random);
}
