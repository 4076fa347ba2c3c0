import { webcrypto } from "node:crypto";
import { isIP } from "node:net";

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

export interface SigningRequest {
  /** PKCS#10, PEM. */
  request: string;
  /** PKCS#8, PEM. A secret. */
  key: string;
}

/**
 * A new EC key, and the request to certify it for `system:node:NAME` of system:nodes, with `hosts` (names and IPs) as
 * subject alternative names: what the signers of nodes' certificates accept, and nothing else
 * (pkg/apis/certificates/helpers.go ValidateKubeletServingCSR, ValidateKubeletClientCSR: a client has no hosts).
 */
export async function signingRequest(
  nodeName: string,
  hosts: readonly string[],
): Promise<SigningRequest> {
  // Loaded only here: a node with a certificate of its own never pays for it. x509 needs the polyfill first.
  await import("reflect-metadata");
  const x509 = await import("@peculiar/x509");
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const names = [...new Set(hosts)].map((value) => ({
    type: isIP(value) === 0 ? ("dns" as const) : ("ip" as const),
    value,
  }));
  const request = await x509.Pkcs10CertificateRequestGenerator.create(
    {
      // As JSON names, so that no character of a name has a meaning.
      name: [{ O: ["system:nodes"] }, { CN: [`system:node:${nodeName}`] }],
      keys,
      signingAlgorithm: algorithm,
      extensions: names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)],
    },
    webcrypto,
  );
  const pkcs8 = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  return {
    request: `${request.toString("pem")}\n`,
    key: `${x509.PemConverter.encode(pkcs8, "PRIVATE KEY")}\n`,
  };
}
