import type { KubeObject } from "../api/object.ts";

/** One column of `kubectl get`. Priority 1 shows with `-o wide` only. */
export interface Column {
  readonly name: string;
  readonly type?: "string" | "integer" | "date";
  readonly format?: string;
  readonly description?: string;
  readonly priority?: 0 | 1;
  /** `now` is milliseconds since the epoch, for ages. */
  readonly cell: (object: KubeObject, now: number) => string | number;
}
