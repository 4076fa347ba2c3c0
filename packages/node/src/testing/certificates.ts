// oxlint-disable-next-line import/no-unassigned-import -- a polyfill that x509 needs before it loads
import "reflect-metadata";
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const validity = {
  notBefore: new Date(Date.now() - 60_000),
  notAfter: new Date(Date.now() + 3_600_000),
};

/** A certificate authority of a test, that issues client certificates. */
export interface TestAuthority {
  caPem: string;
  client(user: string, groups: readonly string[]): Promise<{ cert: string; key: string }>;
  /** As the cluster's signer: the certificate for a PKCS#10 request (PEM), valid between the two times. */
  sign(request: string, notBefore: Date, notAfter: Date): Promise<string>;
}

export async function testAuthority(name: string): Promise<TestAuthority> {
  const keys = await newKeys();
  const ca = await x509.X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: "01",
      name: [{ CN: [name] }],
      ...validity,
      keys,
      signingAlgorithm: algorithm,
      extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
    },
    webcrypto,
  );
  return {
    caPem: ca.toString("pem"),
    sign: async (text, notBefore, notAfter) => {
      const request = new x509.Pkcs10CertificateRequest(text);
      const certificate = await x509.X509CertificateGenerator.create(
        {
          serialNumber: "03",
          subject: request.subjectName.toJSON(),
          issuer: ca.subject,
          notBefore,
          notAfter,
          signingKey: keys.privateKey,
          publicKey: request.publicKey,
          signingAlgorithm: algorithm,
          extensions: request.extensions,
        },
        webcrypto,
      );
      return certificate.toString("pem");
    },
    client: async (user, groups) => {
      const own = await newKeys();
      const certificate = await x509.X509CertificateGenerator.create(
        {
          serialNumber: "02",
          subject: [...groups.map((group) => ({ O: [group] })), { CN: [user] }],
          issuer: ca.subject,
          ...validity,
          signingKey: keys.privateKey,
          publicKey: own.publicKey,
          signingAlgorithm: algorithm,
          extensions: [new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth])],
        },
        webcrypto,
      );
      const pkcs8 = await webcrypto.subtle.exportKey("pkcs8", own.privateKey);
      return {
        cert: certificate.toString("pem"),
        key: x509.PemConverter.encode(pkcs8, "PRIVATE KEY"),
      };
    },
  };
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
}
