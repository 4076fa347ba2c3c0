import { Backoff, type KubeClient, type KubeCredentials, pause } from "@interlink/kube";
import type { Logger } from "pino";
import { certificateFacts, renewalTime } from "./certificate-facts.ts";
import type { CertificateFile } from "./certificate-file.ts";
import {
  type CertificateTiming,
  LONGEST_PAUSE_MS,
  SHORTEST_PAUSE_MS,
} from "./certificate-timing.ts";
import { requestCertificate } from "./request-certificate.ts";

export interface ClientCertificateOptions {
  nodeName: string;
  /** Whose certificate is renewed; it takes up what is written to `file`. */
  credentials: Pick<KubeCredentials, "tls">;
  file: CertificateFile;
  client: KubeClient;
  logger: Logger;
  timing: CertificateTiming;
}

/**
 * Asks for the next client certificate of `system:node:NAME` in time, until the signal fires. Clusters approve that by
 * themselves where the group system:nodes has the ClusterRole
 * `system:certificates.k8s.io:certificatesigningrequests:selfnodeclient`. Never rejects.
 */
export async function renewClientCertificate(
  options: ClientCertificateOptions,
  signal: AbortSignal,
): Promise<void> {
  const { nodeName, credentials, file, client, logger, timing } = options;
  const { firstRetryMs, retryMs, waitMs, now } = timing;
  const backoff = new Backoff({ firstMs: firstRetryMs, capMs: retryMs, jitter: 0.2 });
  // One draw: another at each look would drift to the early end.
  const random = timing.random();
  while (!signal.aborted) {
    let wait = LONGEST_PAUSE_MS;
    try {
      const { cert = "", key = "" } = await credentials.tls();
      const renewAt = renewalTime(certificateFacts({ cert, key }), random);
      if (now() >= renewAt) {
        const pair = await requestCertificate(
          client,
          {
            nodeName,
            signer: "kubernetes.io/kube-apiserver-client-kubelet",
            hosts: [],
            waitMs,
            requested: (name) =>
              logger.info({ request: name }, "A client certificate is requested."),
          },
          signal,
        );
        await file.write(pair);
        logger.info({ file: file.path }, "The client certificate is renewed.");
        backoff.reset();
        wait = SHORTEST_PAUSE_MS;
      } else wait = Math.min(wait, Math.max(renewAt - now(), SHORTEST_PAUSE_MS));
    } catch (err) {
      if (signal.aborted) return;
      wait = backoff.next(now());
      logger.warn({ err }, "The client certificate cannot be renewed yet; it is tried again.");
    }
    await pause(wait, signal);
  }
}
