import type { Capabilities, PingAnswer } from "@interlink/protocol";

/** Why something could not be asked, as it was told. */
export interface Failure {
  /** Of the system or of TLS, such as `ECONNREFUSED` and `CERT_HAS_EXPIRED`; else the boundary's own code. */
  code: string;
  message: string;
  httpStatus?: number;
}

export type Answered<T> = { ok: true; value: T } | ({ ok: false } & Failure);

/** What a connection to an address showed, before anything of the protocol. */
export interface Contact {
  httpStatus: number;
  /** The other side's clock less ours, in seconds; only where the answer had a date. */
  clockAheadSeconds?: number;
  certificate?: CertificateFacts;
}

export interface CertificateFacts {
  /** ISO 8601. */
  notAfter: string;
  subject: string;
  /** As in the certificate: `DNS:a.example.org, IP Address:10.0.0.1`. */
  names?: string;
}

/** An API server or a plugin. */
export interface PeerFacts {
  address: string;
  contact: Answered<Contact>;
  /** `undefined`: the base protocol only. Not asked without contact. */
  capabilities?: Answered<Capabilities | undefined>;
  ping?: Answered<PingAnswer | undefined>;
  /** The node told its address: it may be out of reach from here, and still be fine. */
  isNodes?: boolean;
}

/** A bearer token in a file. Never the token itself. */
export interface TokenFacts {
  file: string;
  content: Answered<{ empty: boolean; expires?: string; audience?: string; issuer?: string }>;
}

/** A file that only its owner should read, or change. */
export interface FileFacts {
  file: string;
  /** In words, for instance `the token`. */
  what: string;
  /** Permission bits; `undefined`: there is no such file. */
  mode?: number;
}

export interface NodeFacts {
  ready: string;
  /** Why it is not ready. */
  readyMessage?: string;
  connectivity?: string;
  connectivityMessage?: string;
  version?: string;
  capacity: Readonly<Record<string, string>>;
  isCordoned: boolean;
  /** Address of its API server, as the node itself says it. */
  site?: string;
  /** What the site answered to the node's last ping. */
  ping?: string;
  /** Since the lease was renewed; below 0: the node's clock is ahead of ours. */
  leaseAgeSeconds?: number;
}

export interface ClusterFacts {
  server?: string;
  version: Answered<string>;
  /** Of the client certificate, ISO 8601. */
  credentialsExpire?: string;
  nodeName?: string;
  /** Names of all virtual nodes, where none was named and there is not just one. */
  virtualNodes?: readonly string[];
  /** `undefined`: it was not asked for; `value` undefined: there is none of this name. */
  node?: Answered<NodeFacts | undefined>;
  /** How many of each phase. */
  pods?: Answered<Readonly<Record<string, number>>>;
  /** The last warnings about the node and its pods, newest first. */
  warnings?: Answered<readonly { when: string; about: string; message: string }[]>;
}

/** What a Slurm plugin's configuration names, and what this machine has of it. */
export interface SlurmFacts {
  file: string;
  partitions: Answered<readonly string[]>;
  /** Slurm was not asked: the file cannot be used, and `partitions` says why. */
  unusable?: true;
  /** Where jobs go that name no partition. */
  defaultPartition?: string;
  /** Partitions that take no jobs now. */
  down?: readonly string[];
  /** Pods that name no flavor, or one without a partition, go to Slurm's default partition. */
  needsDefault?: boolean;
  /** Partition, and where it is named. */
  wanted: readonly { partition: string; where: string }[];
}

/** All that `status` and `doctor` know. What was not asked is absent. */
export interface Facts {
  /** ISO 8601; the moment that ages and ends are counted from. */
  now: string;
  /** Sentences about the configuration that cannot be used. */
  configuration?: { file?: string; problems: readonly string[]; notices: readonly string[] };
  token?: TokenFacts;
  files: readonly FileFacts[];
  site?: PeerFacts;
  plugin?: PeerFacts;
  cluster?: ClusterFacts;
  slurm?: SlurmFacts;
}
