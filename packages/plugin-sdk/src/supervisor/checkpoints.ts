/**
 * The steps of create and delete at which a crash must lose nothing and run nothing twice. A provider calls its
 * `checkpoint` option right after each; crash tests kill the process there.
 */
export const CHECKPOINTS = [
  "create.intent-written",
  "create.sandbox-ready",
  "create.image-ready",
  "create.container-created",
  "create.container-started",
  "create.recorded",
  "delete.intent-written",
  "delete.stop-sent",
  "delete.containers-ended",
  "delete.sandbox-removed",
  "delete.tombstoned",
] as const;

/** One of {@link CHECKPOINTS}. */
export type Checkpoint = (typeof CHECKPOINTS)[number];
