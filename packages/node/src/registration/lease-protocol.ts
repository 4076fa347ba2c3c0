import type { CredentialSource } from "@interlink/kube";

/** What the lease thread is started with. Plain data: it crosses a thread boundary. */
export interface LeaseWorkerData {
  credentials: CredentialSource;
  nodeName: string;
  leaseSeconds: number;
  renewMs: number;
}

/** To the lease thread. */
export type LeaseCommand =
  /** The Node object exists and has this UID; renewing begins, or goes on for a Node that was made anew. */
  { type: "node"; uid: string } | { type: "stop" };

/** From the lease thread. */
export type LeaseReport =
  | { type: "renewed"; atMs: number }
  | { type: "failed"; atMs: number; message: string };
