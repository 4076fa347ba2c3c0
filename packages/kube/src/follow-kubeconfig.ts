import { reread } from "./credential-files.ts";
import type { KubeCredentials } from "./credentials.ts";

/**
 * The credentials of a kubeconfig that is written anew now and then, with another certificate or token in it. `read`
 * gives the file as it is. While it cannot be read, or is for another server, what was in it before holds.
 */
export function followKubeconfig(
  first: KubeCredentials,
  read: () => Promise<KubeCredentials | undefined>,
  now: () => number,
): KubeCredentials {
  const latest = reread<KubeCredentials>(async (before) => {
    if (before === undefined) return first;
    try {
      const found = await read();
      return found?.server === first.server ? found : before;
    } catch {
      // Someone may be writing it. That its credentials have run out, the server says.
      return before;
    }
  }, now);
  return {
    ...first,
    tls: async () => (await latest.value()).tls(),
    authorization: async () => (await latest.value()).authorization(),
    forget: () => {
      first.forget?.();
      latest.forget();
    },
  };
}
