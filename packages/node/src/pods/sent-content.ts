import type { SeenVersions } from "../resolve/object-watches.ts";

/** What was sent to the site last, in this life of the node. */
export interface SentContent {
  hash: string;
  tokens: string;
  /** `madeOf` the pod that it was made of. */
  made: string;
  seen: SeenVersions;
}
