import { createHash } from "node:crypto";

const PREFIX = "interlink";

/** By which a job is found again: `interlink:INSTANCE:UID`, as the comment of the job. */
export function jobComment(instance: string, uid: string): string {
  return `${PREFIX}:${instance}:${uid}`;
}

/** The pod of a job with this comment; `undefined`: another plugin's, or nobody's. */
export function podOfComment(instance: string, comment: string): string | undefined {
  const start = jobComment(instance, "");
  return comment.startsWith(start) ? comment.slice(start.length).trimEnd() : undefined;
}

/** Whoever has the directory has the pods: plugins with different roots leave each other's jobs alone. */
export function instanceOf(root: string): string {
  return createHash("sha256").update(root).digest("hex").slice(0, 12);
}
