/** What `interlink up` was told. */
export interface UpFlags {
  plugin: "auto" | "docker" | "process";
  exit?: boolean;
  port: string;
  name: string;
  stateDir?: string;
  logLevel: string;
}

/** What `interlink node` was told. A configuration file may say the rest. */
export interface NodeFlags {
  config?: string;
  name?: string;
  site?: string;
  kubeconfig?: string;
  context?: string;
  address?: string;
  kubeletPort?: string;
  servingCertificate?: "csr" | "self-signed";
  certificateDir?: string;
  kubeletCert?: string;
  kubeletKey?: string;
  clientCa?: string;
  apiAddress?: string;
  label?: string[];
  taint?: string[];
  defaultTaint: boolean;
  cpu?: string;
  memory?: string;
  pods?: string;
  resource?: string[];
  cordoned?: boolean;
  notReadyAfter?: string;
  kubeApiQps?: string;
  kubeApiBurst?: string;
  eventQps?: string;
  eventBurst?: string;
  tokenFile?: string;
  siteCa?: string;
  logLevel?: string;
}

/** What `interlink server` was told. A configuration file may say the rest. */
export interface ServerFlags {
  config?: string;
  plugin?: string;
  listen?: string;
  socketMode?: string;
  tokenFile?: string;
  allowAnonymous?: boolean;
  pluginTokenFile?: string;
  logLevel?: string;
}

/** What `interlink config` was told. */
export interface ConfigFlags {
  for?: ConfigRole;
}

/** Whose configuration it is. */
export type ConfigRole = "node" | "server" | "docker" | "slurm";

/** What `interlink plugin` was told. */
export interface PluginFlags {
  listen?: string;
  socketMode?: string;
  tokenFile?: string;
  tlsCert?: string;
  tlsKey?: string;
  clientCa?: string;
  allowedSubject?: string[];
  allowAnonymous?: boolean;
  root?: string;
  config?: string;
  dockerHost?: string;
  instance?: string;
  logLevel?: string;
}
