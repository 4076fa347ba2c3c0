// oxlint-disable-next-line import/no-unassigned-import -- a polyfill that x509 needs before it loads
import "reflect-metadata";
import * as x509 from "@peculiar/x509";

/** What of a CertificateSigningRequest decides whether its signer signs it. */
export interface SigningWish {
  readonly signerName: string;
  readonly usages: readonly string[];
  readonly request: x509.Pkcs10CertificateRequest;
}

export const signers = {
  serving: "kubernetes.io/kubelet-serving",
  nodeClient: "kubernetes.io/kube-apiserver-client-kubelet",
  client: "kubernetes.io/kube-apiserver-client",
} as const;

/** Reads `spec.request`: base64 of a PKCS#10 PEM block. Throws when it is not one. */
export function readSigningRequest(base64: string): x509.Pkcs10CertificateRequest {
  return new x509.Pkcs10CertificateRequest(Buffer.from(base64, "base64").toString("utf8"));
}

/**
 * Why the signer does not sign, or undefined (kubernetes pkg/apis/certificates/helpers.go). Signers that are not this
 * cluster's are somebody else's: undefined too.
 */
export function signingProblem({ signerName, usages, request }: SigningWish): string | undefined {
  const subject = request.subjectName.toJSON();
  const organizations = subject.flatMap((part) => part["O"] ?? []);
  const names = alternativeNames(request);
  if (signerName === signers.client) {
    return organizations.includes("system:masters")
      ? "use of the group system:masters is not allowed"
      : usageProblem(usages, "client auth", []);
  }
  if (signerName !== signers.serving && signerName !== signers.nodeClient) return undefined;
  if (organizations.length !== 1 || organizations[0] !== "system:nodes")
    return "subject organization is not system:nodes";
  if (!commonName(request).startsWith("system:node:"))
    return "subject common name does not begin with system:node:";
  const serving = signerName === signers.serving;
  const isNamed = names.length > 0;
  if (serving !== isNamed)
    return serving ? "DNS or IP subjectAltName is required" : "subjectAltNames are not allowed";
  if (names.some(({ type }) => type !== "dns" && type !== "ip"))
    return "email and URI subjectAltNames are not allowed";
  return usageProblem(usages, serving ? "server auth" : "client auth", ["digital signature"]);
}

export function commonName(request: x509.Pkcs10CertificateRequest): string {
  return request.subjectName.toJSON().flatMap((part) => part["CN"] ?? [])[0] ?? "";
}

/** With or without key encipherment, which EC keys do not need; nothing else besides. */
function usageProblem(
  usages: readonly string[],
  purpose: string,
  needed: readonly string[],
): string | undefined {
  const allowed = new Set(["digital signature", "key encipherment", purpose]);
  const isFit =
    [purpose, ...needed].every((usage) => usages.includes(usage)) &&
    usages.every((usage) => allowed.has(usage));
  return isFit ? undefined : `usages did not match [${[...allowed].join(" ")}]`;
}

function alternativeNames(request: x509.Pkcs10CertificateRequest): x509.JsonGeneralNames {
  const extension = request.getExtension("2.5.29.17");
  return extension === null
    ? []
    : new x509.SubjectAlternativeNameExtension(extension.rawData).names.toJSON();
}
