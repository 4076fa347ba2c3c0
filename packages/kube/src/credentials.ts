/**
 * Where credentials come from. Plain data, so that it can be sent to a worker thread that makes its own client.
 * `"default"`: the files of `$KUBECONFIG`, else `~/.kube/config`, else in-cluster.
 */
export type CredentialSource =
  | {
      kubeconfigFile: string;
      context?: string;
      /**
       * A client certificate with its key, one PEM file, that takes the place of the kubeconfig's while it is valid and
       * outlives that one: what was renewed since the kubeconfig was written. It need not exist.
       */
      renewedCertificateFile?: string;
    }
  | { kubeconfigYaml: string; context?: string }
  | "in-cluster"
  | "default";

/** What a TLS connection to the API server needs. PEM. */
export interface TlsMaterial {
  ca?: string;
  cert?: string;
  key?: string;
  servername?: string;
  /** Only ever set by `insecure-skip-tls-verify` of a kubeconfig. */
  rejectUnauthorized?: boolean;
}

/** Who we are to one API server. Files behind it are read again, so rotated tokens and certificates are taken up. */
export interface KubeCredentials {
  /** `https://host:port`, perhaps with a path. */
  readonly server: string;
  readonly namespace?: string;
  /** Of `proxy-url`: an HTTP proxy between us and the server. */
  readonly proxyUrl?: string;
  /** Asked for each new connection. */
  tls(): Promise<TlsMaterial>;
  /** Asked for each request: the value of the Authorization header, if one is sent. */
  authorization(): Promise<string | undefined>;
  /** The server did not accept us: read everything again before the next answer. */
  forget?(): void;
}
