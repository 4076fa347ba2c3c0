import { ProtocolError } from "@interlink/protocol";
import type { Authenticate } from "./authenticate.ts";

/** Who is let in by one of several is let in. Else the last one's words count; one that cannot be asked goes before. */
export function anyOf(several: readonly Authenticate[]): Authenticate {
  return async (caller) => {
    let told: unknown;
    for (const authenticate of several) {
      try {
        return await authenticate(caller);
      } catch (error) {
        const isKept = told instanceof ProtocolError && told.code === "unavailable";
        if (!isKept) told = error;
      }
    }
    throw told;
  };
}
