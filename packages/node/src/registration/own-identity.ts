import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import {
  type CredentialSource,
  type KubeClient,
  type KubeCredentials,
  loadKubeCredentials,
} from "@interlink/kube";
import type { Logger } from "pino";
import { certificateFile } from "../certificates/certificate-file.ts";
import { defaultCertificateTiming } from "../certificates/certificate-timing.ts";
import { renewClientCertificate } from "../certificates/client-certificate.ts";

export interface OwnIdentityOptions {
  kube: CredentialSource;
  nodeName: string;
  certificateDirectory?: string;
  logger: Logger;
}

/** Who we are to the cluster. */
export interface OwnIdentity {
  /** The source, with our own renewals in it; for every client that we make. */
  source: CredentialSource;
  credentials: KubeCredentials;
  /** We call ourselves `system:node:NAME`: the Node authorizer and NodeRestriction decide what we may. */
  restricted: boolean;
  /** Renews our client certificate in time, where that is ours to do, until the signal fires. Never rejects. */
  keepValid(client: KubeClient, signal: AbortSignal): Promise<void>;
}

/** Throws KubeError `credentials`. */
export async function ownIdentity(options: OwnIdentityOptions): Promise<OwnIdentity> {
  const { kube, nodeName, certificateDirectory, logger } = options;
  const file =
    certificateDirectory === undefined || typeof kube === "string" || !("kubeconfigFile" in kube)
      ? undefined
      : certificateFile(join(certificateDirectory, "kube-client.pem"));
  const source =
    file === undefined || typeof kube === "string"
      ? kube
      : { ...kube, renewedCertificateFile: file.path };
  const credentials = await loadKubeCredentials(source);
  const restricted = await isNodeIdentity(credentials, nodeName);
  return {
    source,
    credentials,
    restricted,
    keepValid: async (client, signal) => {
      if (!restricted || file === undefined) return;
      const timing = defaultCertificateTiming;
      await renewClientCertificate({ nodeName, credentials, file, client, logger, timing }, signal);
    },
  };
}

/** By the client certificate that we show. False for a ServiceAccount and for people. */
async function isNodeIdentity(
  credentials: Pick<KubeCredentials, "tls">,
  nodeName: string,
): Promise<boolean> {
  const { cert } = await credentials.tls();
  if (cert === undefined) return false;
  // One `KEY=value` per line.
  const subject = new X509Certificate(cert).subject.split("\n");
  return subject.includes(`CN=system:node:${nodeName}`) && subject.includes("O=system:nodes");
}
