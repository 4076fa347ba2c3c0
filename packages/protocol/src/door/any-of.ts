import { ProtocolError } from "../errors.ts";
import type { Authenticate } from "./authenticate.ts";

/**
 * Who is let in by one of several is let in. Else one that cannot be asked goes first, then one that knows the caller and
 * refuses it (403), then the last.
 */
export function anyOf(several: readonly Authenticate[]): Authenticate {
  return async (caller) => {
    let told: unknown;
    for (const authenticate of several) {
      try {
        return await authenticate(caller);
      } catch (error) {
        if (rank(error) >= rank(told)) told = error;
      }
    }
    throw told;
  };
}

function rank(error: unknown): number {
  if (!(error instanceof ProtocolError)) return 0;
  if (error.code === "unavailable") return 2;
  return error.httpStatus === 403 ? 1 : 0;
}
