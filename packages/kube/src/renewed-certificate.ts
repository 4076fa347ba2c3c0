import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { KubeCredentials, TlsMaterial } from "./credentials.ts";

/** Takes the certificate in `file` instead of that of `credentials` while it is valid and outlives it. */
export function withRenewedCertificate(
  credentials: KubeCredentials,
  file: string,
  now: () => number,
): KubeCredentials {
  return {
    ...credentials,
    tls: async () => {
      const [tls, pem] = await Promise.all([credentials.tls(), readIfThere(file)]);
      if (pem === undefined) return tls;
      const renewedUntil = endOf(pem);
      const isBetter = renewedUntil > now() && renewedUntil > endOf(tls.cert);
      return isBetter ? ({ ...tls, cert: pem, key: pem } satisfies TlsMaterial) : tls;
    },
  };
}

/** When the first certificate of the text runs out, milliseconds since the epoch; 0 without one. */
function endOf(pem: string | undefined): number {
  if (pem === undefined) return 0;
  try {
    return Date.parse(new X509Certificate(pem).validTo);
  } catch {
    return 0;
  }
}

async function readIfThere(file: string): Promise<string | undefined> {
  // What cannot be read is as good as absent: the kubeconfig's own certificate is there.
  return readFile(file, "utf8").catch(() => undefined);
}
