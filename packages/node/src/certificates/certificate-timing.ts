/** When certificates are asked for. Times are milliseconds. */
export interface CertificateTiming {
  /** How long one request waits for its approval; default 15 min, as a kubelet's. */
  waitMs: number;
  /** After a request that came to nothing, doubling up to `retryMs`; default 10 s. */
  firstRetryMs: number;
  /** Default 15 min. */
  retryMs: number;
  now: () => number;
  random: () => number;
}

/** As a kubelet's. */
export const defaultCertificateTiming: CertificateTiming = {
  waitMs: 15 * 60_000,
  firstRetryMs: 10_000,
  retryMs: 15 * 60_000,
  now: Date.now,
  random: Math.random,
};

/** Clocks jump, and timers are no good for weeks. */
export const LONGEST_PAUSE_MS = 3_600_000;
/** Between two certificates, however short their lives are. */
export const SHORTEST_PAUSE_MS = 5000;
