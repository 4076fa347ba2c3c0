export {
  CertificateAuthority,
  type CertificateRequest,
  type KeyAndCertificate,
} from "./certificates/authority.ts";
export { type Cluster, type ClusterOptions, type Subject, startCluster } from "./cluster.ts";
export type { Chance } from "./storage/storage.ts";
