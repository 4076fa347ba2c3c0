/** What `interlink up` was told. */
export interface UpFlags {
  plugin: "auto" | "docker" | "process";
  exit?: boolean;
  port: string;
  name: string;
  stateDir?: string;
  logLevel: string;
}

/** What `interlink node` was told. */
export interface NodeFlags {
  name: string;
  site: string;
  kubeconfig?: string;
  context?: string;
  address?: string;
  kubeletPort: string;
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
  logLevel: string;
}

/** What `interlink server` was told. */
export interface ServerFlags {
  plugin: string;
  listen: string;
  logLevel: string;
}

/** What `interlink plugin` was told. */
export interface PluginFlags {
  listen?: string;
  root?: string;
  config?: string;
  dockerHost?: string;
  instance?: string;
  logLevel?: string;
}
