/**
 * Places where a crash must not lose a pod or run one twice, in the order in which a pod comes by. Crash tests kill
 * the process there.
 */
export const NODE_CHECKPOINTS = [
  /** Everything is resolved; the site has not been asked. */
  "node.create.before",
  /** The site accepted the pod; nothing of that is written anywhere else. */
  "node.create.after",
  /** A new status is known; the Kubernetes API does not have it. */
  "node.status.before-patch",
  /** The pod is to be deleted; the site does not know yet. */
  "node.delete.before",
  /** The site accepted the delete; the pod object is still there. */
  "node.delete.after",
  /** The end is confirmed and written; the pod object is still there. */
  "node.object-delete.before",
] as const;

/** One of {@link NODE_CHECKPOINTS}. */
export type NodeCheckpoint = (typeof NODE_CHECKPOINTS)[number];
