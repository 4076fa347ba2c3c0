import { webcrypto } from "node:crypto";
import { isIP } from "node:net";
import type { KeyPair } from "../certificates/certificate-facts.ts";

/** What the kubelet API shows, PEM. */
export type ServingCertificate = KeyPair;

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const YEAR_MS = 365 * 24 * 3600 * 1000;

/**
 * A certificate for the kubelet API that nobody vouches for, valid for a year: enough where the API server does not
 * check (it does only with `--kubelet-certificate-authority`). `hosts` are the node's addresses: names and IPs.
 */
export async function selfSignedCertificate(
  nodeName: string,
  hosts: readonly string[],
  now: Date,
): Promise<ServingCertificate> {
  // Loaded only here: a node with a certificate of its own never pays for it. x509 needs the polyfill first.
  await import("reflect-metadata");
  const x509 = await import("@peculiar/x509");
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: `01${Buffer.from(webcrypto.getRandomValues(new Uint8Array(15))).toString("hex")}`,
      // As JSON names, so that no character of a name has a meaning.
      name: [{ O: ["system:nodes"] }, { CN: [`system:node:${nodeName}`] }],
      // Clocks of API servers may be a little behind.
      notBefore: new Date(now.getTime() - 5 * 60_000),
      notAfter: new Date(now.getTime() + YEAR_MS),
      keys,
      signingAlgorithm: algorithm,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension(
          [...new Set(hosts)].map((value) => ({ type: isIP(value) === 0 ? "dns" : "ip", value })),
        ),
      ],
    },
    webcrypto,
  );
  const pkcs8 = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  return {
    cert: `${certificate.toString("pem")}\n`,
    key: `${x509.PemConverter.encode(pkcs8, "PRIVATE KEY")}\n`,
  };
}
