import type { KubernetesFiles } from "./kubernetes-files.ts";

export interface KubernetesPorts {
  apiServer: number;
  etcdClient: number;
  etcdPeer: number;
}

/** A store for one test: loopback only, and not flushed to the disk, because it is thrown away. */
export function etcdFlags(dataDirectory: string, ports: KubernetesPorts): string[] {
  const client = `http://127.0.0.1:${ports.etcdClient}`;
  const peer = `http://127.0.0.1:${ports.etcdPeer}`;
  return [
    `--data-dir=${dataDirectory}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
    "--unsafe-no-fsync",
  ];
}

/** Accepts any kubelet certificate (there is no `--kubelet-certificate-authority`): a node may have signed its own. */
export function apiServerFlags(files: KubernetesFiles, ports: KubernetesPorts): string[] {
  return [
    `--etcd-servers=http://127.0.0.1:${ports.etcdClient}`,
    `--secure-port=${ports.apiServer}`,
    "--bind-address=127.0.0.1",
    "--advertise-address=127.0.0.1",
    // It would publish its own address, and a loopback one is refused there.
    "--endpoint-reconciler-type=none",
    `--tls-cert-file=${files.servingCertificate}`,
    `--tls-private-key-file=${files.servingKey}`,
    `--client-ca-file=${files.caCertificate}`,
    `--service-account-key-file=${files.serviceAccountPublicKey}`,
    `--service-account-signing-key-file=${files.serviceAccountKey}`,
    "--service-account-issuer=https://kubernetes.default.svc",
    "--authorization-mode=Node,RBAC",
    "--enable-admission-plugins=NodeRestriction",
    "--service-cluster-ip-range=10.0.0.0/24",
    `--kubelet-client-certificate=${files.kubeletClientCertificate}`,
    `--kubelet-client-key=${files.kubeletClientKey}`,
    `--audit-policy-file=${files.auditPolicy}`,
    `--audit-log-path=${files.auditLog}`,
    "--allow-privileged",
  ];
}

export function controllerManagerFlags(
  files: KubernetesFiles,
  minorVersion: number,
  certificateSeconds: number | undefined,
): string[] {
  return [
    ...(certificateSeconds === undefined
      ? []
      : [`--cluster-signing-duration=${certificateSeconds + backdated(minorVersion)}s`]),
    `--kubeconfig=${files.controllerManagerConfig}`,
    `--service-account-private-key-file=${files.serviceAccountKey}`,
    `--root-ca-file=${files.caCertificate}`,
    `--cluster-signing-cert-file=${files.caCertificate}`,
    `--cluster-signing-key-file=${files.caKey}`,
    "--use-service-account-credentials",
    "--leader-elect=false",
    ...noPort(minorVersion),
  ];
}

export function schedulerFlags(files: KubernetesFiles, minorVersion: number): string[] {
  return [`--kubeconfig=${files.schedulerConfig}`, "--leader-elect=false", ...noPort(minorVersion)];
}

/** Certificates begin five minutes before they are signed; until 1.22 these counted as part of their lives. */
function backdated(minorVersion: number): number {
  return minorVersion < 22 ? 300 : 0;
}

/** Nobody asks these for their health, and fixed ports would keep two control planes from running at once. */
function noPort(minorVersion: number): string[] {
  // The insecure port went in 1.24 at the latest, and with it the flag.
  return minorVersion < 23 ? ["--secure-port=0", "--port=0"] : ["--secure-port=0"];
}
