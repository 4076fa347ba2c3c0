import { Backoff, isKubeError, type KubeClient, paths, pause } from "@interlink/kube";
import type { CertificateSigningRequest } from "kubernetes-types/certificates/v1.js";
import { type CertificateFacts, certificateFacts, type KeyPair } from "./certificate-facts.ts";
import { signingRequest } from "./signing-request.ts";

export type NodeSigner =
  | "kubernetes.io/kubelet-serving"
  | "kubernetes.io/kube-apiserver-client-kubelet";

export interface CertificateWish {
  nodeName: string;
  signer: NodeSigner;
  /** Names and addresses; none for a client certificate. */
  hosts: readonly string[];
  /** How long to wait for the approval, milliseconds. */
  waitMs: number;
  /** Told the name of the request as soon as it is there to be approved. */
  requested: (name: string) => void;
}

/**
 * Why there is no certificate. `denied`: somebody decided so; `failed`: the signer could not; `unanswered`: nobody
 * decided in time, or the request was removed; `unusable`: what came is no certificate for the key.
 */
export type CertificateRequestCode = "denied" | "failed" | "unanswered" | "unusable";

export class CertificateRequestError extends Error {
  override readonly name = "CertificateRequestError";
  readonly code: CertificateRequestCode;

  constructor(code: CertificateRequestCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/** Until 1.27 all three are asked for, EC key or not; later servers take them too (ValidateKubeletServingCSR). */
const usages: Record<NodeSigner, string[]> = {
  "kubernetes.io/kubelet-serving": ["digital signature", "key encipherment", "server auth"],
  "kubernetes.io/kube-apiserver-client-kubelet": [
    "digital signature",
    "key encipherment",
    "client auth",
  ],
};

/**
 * Makes a key, asks the cluster to certify it, and waits until somebody has approved that and the signer has signed.
 * The key never leaves this process. Throws CertificateRequestError; KubeError when the request cannot be made.
 */
export async function requestCertificate(
  client: KubeClient,
  wish: CertificateWish,
  signal: AbortSignal,
): Promise<KeyPair> {
  const { nodeName, signer, hosts, waitMs, requested } = wish;
  const { request, key } = await signingRequest(nodeName, hosts);
  const made = await client.create<CertificateSigningRequest>(
    paths.certificateSigningRequests.collection(),
    {
      apiVersion: "certificates.k8s.io/v1",
      kind: "CertificateSigningRequest",
      metadata: { generateName: "csr-" },
      spec: {
        request: Buffer.from(request).toString("base64"),
        signerName: signer,
        usages: usages[signer],
      },
    },
    { signal },
  );
  const name = made.metadata?.name ?? "";
  requested(name);
  const cert = await signedCertificate(client, name, waitMs, signal);
  return usable({ cert, key }, name, signer);
}

function usable(pair: KeyPair, name: string, signer: NodeSigner): KeyPair {
  const refuse = (why: string, cause?: unknown): CertificateRequestError =>
    new CertificateRequestError(
      "unusable",
      `The certificate of ${name} ${why}: ask who signs for ${signer}.`,
      cause,
    );
  let facts: CertificateFacts;
  try {
    facts = certificateFacts(pair);
  } catch (error) {
    throw refuse("cannot be used", error);
  }
  if (facts.notAfter <= Date.now())
    throw refuse("has run out already, by the clock of this machine");
  return pair;
}

async function signedCertificate(
  client: KubeClient,
  name: string,
  waitMs: number,
  signal: AbortSignal,
): Promise<string> {
  const path = paths.certificateSigningRequests.named(name);
  const backoff = new Backoff({ firstMs: 250, capMs: 5000, jitter: 0.2 });
  const until = performance.now() + waitMs;
  let isApproved = false;
  while (performance.now() < until) {
    await pause(Math.min(backoff.next(Date.now()), until - performance.now()), signal);
    signal.throwIfAborted();
    const { status } = await ask(client, path, name, signal);
    if (status?.certificate) return Buffer.from(status.certificate, "base64").toString("utf8");
    for (const { type, reason = "", message = "" } of status?.conditions ?? []) {
      if (type === "Approved") isApproved = true;
      if (type !== "Denied" && type !== "Failed") continue;
      const code = type === "Denied" ? "denied" : "failed";
      throw new CertificateRequestError(code, `${name} was ${code}: ${reason} ${message}`.trim());
    }
  }
  throw new CertificateRequestError(
    "unanswered",
    isApproved
      ? `${name} is approved, but nobody signs it: look at kube-controller-manager's --cluster-signing-cert-file.`
      : `${name} was not approved in time: run kubectl certificate approve with the next one.`,
  );
}

/** An API server that is away, or that knows no roles yet, is asked again. */
async function ask(
  client: KubeClient,
  path: string,
  name: string,
  signal: AbortSignal,
): Promise<CertificateSigningRequest> {
  try {
    return await client.get<CertificateSigningRequest>(path, { signal });
  } catch (error) {
    if (isKubeError(error, "not-found"))
      throw new CertificateRequestError("unanswered", `${name} was removed unanswered.`, error);
    if (signal.aborted) throw error;
    return {} as CertificateSigningRequest;
  }
}
