import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { KubeClient } from "@interlink/kube";
import type { Logger } from "pino";
import type { KeyPair } from "../certificates/certificate-facts.ts";
import { certificateFile } from "../certificates/certificate-file.ts";
import {
  type CertificateFiles,
  followCertificateFiles,
  readCertificateFiles,
} from "../certificates/followed-files.ts";
import { ServingCertificates } from "../certificates/serving-certificates.ts";
import { findClientCa, followClientCa } from "./client-ca.ts";
import type { KubeletApi } from "./kubelet-api.ts";

/** Where the kubelet API's certificate comes from. */
export interface KubeletTlsOptions {
  /** A fixed one. */
  certificate?: KeyPair;
  /** One in files, which are read again and again; instead of `certificate`. */
  certificateFiles?: CertificateFiles;
  /**
   * Without either of them: `csr` asks the cluster for one (signer `kubernetes.io/kubelet-serving`, to be approved), and
   * serves a self-signed one meanwhile. Default: `csr` for a node that calls itself `system:node:NAME`, which is
   * what approvers look for; else `self-signed`.
   */
  servingCertificate?: "csr" | "self-signed";
  /** CA of the clients, PEM. Default: what the cluster publishes in `extension-apiserver-authentication`. */
  clientCaPem?: string;
  /** The same in a file, which is read again and again. */
  clientCaFile?: string;
}

export interface KubeletTlsParts {
  nodeName: string;
  hosts: readonly string[];
  /** The node calls itself `system:node:NAME`. */
  restricted: boolean;
  certificateDirectory: string | undefined;
  client: KubeClient;
  tell: (type: "Normal" | "Warning", reason: string, message: string) => void;
  logger: Logger;
  /** Asks the cluster for as long as it is away. */
  answered: <T>(ask: () => Promise<T>) => Promise<T>;
  signal: AbortSignal;
}

/** What the kubelet API shows and whom it believes, at the start and ever after. */
export interface KubeletTls {
  certificate: KeyPair;
  clientCaPem: string | undefined;
  /** Takes up what changes, until the parts' signal fires. Never rejects. */
  follow(api: Pick<KubeletApi, "useCertificate" | "useClientCa">): Promise<void>;
  /** The node has other addresses from now on. */
  setHosts(hosts: readonly string[]): void;
}

/** Rejects when files that were asked for cannot be used. */
export async function kubeletTls(
  options: KubeletTlsOptions,
  parts: KubeletTlsParts,
): Promise<KubeletTls> {
  const serving = await servingSide(options, parts);
  const { client, answered, signal, logger } = parts;
  const { clientCaPem: fixed, clientCaFile } = options;
  const find = (stop: AbortSignal): Promise<string | undefined> =>
    clientCaFile === undefined ? findClientCa(client, stop) : readFile(clientCaFile, "utf8");
  const clientCaPem = fixed ?? (await answered(() => find(signal)));
  return {
    certificate: serving.certificate,
    clientCaPem,
    setHosts: (hosts) => serving.setHosts(hosts),
    follow: async (api) => {
      const use = (pem: string): void => api.useClientCa(pem);
      const ca = { find, known: clientCaPem, use, logger };
      await Promise.all([
        serving.follow((pair) => api.useCertificate(pair)),
        fixed === undefined ? followClientCa(ca, signal) : undefined,
      ]);
    },
  };
}

interface ServingSide {
  certificate: KeyPair;
  follow: (use: (pair: KeyPair) => void) => Promise<void>;
  setHosts: (hosts: readonly string[]) => void;
}

async function servingSide(
  { certificate, certificateFiles, servingCertificate }: KubeletTlsOptions,
  { signal, logger, restricted, certificateDirectory, ...parts }: KubeletTlsParts,
): Promise<ServingSide> {
  const setHosts = (): void => undefined;
  if (certificate !== undefined) return { certificate, follow: async () => undefined, setHosts };
  if (certificateFiles !== undefined) {
    const known = await readCertificateFiles(certificateFiles);
    return {
      certificate: known,
      follow: (use) => followCertificateFiles(certificateFiles, known, use, logger, signal),
      setHosts,
    };
  }
  const certificates = new ServingCertificates({
    ...parts,
    logger,
    from: servingCertificate ?? (restricted ? "csr" : "self-signed"),
    file:
      certificateDirectory === undefined
        ? undefined
        : certificateFile(join(certificateDirectory, "kubelet-serving.pem")),
  });
  return {
    certificate: await certificates.first(),
    follow: (use) => certificates.run(use, signal),
    setHosts: (hosts) => certificates.setHosts(hosts),
  };
}
