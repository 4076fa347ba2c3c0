import type { Authenticate, Caller } from "./authenticate.ts";
import { meantByBoth } from "./patterns.ts";

/**
 * Who is let in by every one of several is let in, to the namespaces that all of them give. The last that tells a name
 * says who it is. The first refusal is the answer.
 */
export function allOf(several: readonly Authenticate[]): Authenticate {
  return async (request) => {
    let all: Caller | undefined;
    for (const authenticate of several) {
      const one = (await authenticate(request)) ?? {};
      const name = one.name ?? all?.name;
      const namespaces = meantByBoth(all?.namespaces, one.namespaces);
      all = { ...(name !== undefined && { name }), ...(namespaces && { namespaces }) };
    }
    return all;
  };
}
