/**
 * Places where a crash must not lose a pod or run one twice, in the order in which a request comes by. Crash tests kill
 * the process there; production does nothing.
 */
export const SERVER_CHECKPOINTS = [
  /** The body has been judged; the plugin has not been asked. */
  "server.create.received",
  "server.create.before-plugin",
  /** The plugin accepted the pod; the node does not know. */
  "server.create.after-plugin",
  "server.delete.before-plugin",
  /** The plugin accepted the delete; the node does not know. */
  "server.delete.after-plugin",
] as const;

/** One of {@link SERVER_CHECKPOINTS}. */
export type Checkpoint = (typeof SERVER_CHECKPOINTS)[number];
