import type { Capabilities, Feature } from "./messages.ts";

/** Version of the extension that this package speaks (`Capabilities.version`). */
export const EXTENSION_VERSION = "1.0";

/**
 * Whether a peer offers a feature. `undefined` is a peer of the base protocol: it offers nothing. A peer of another
 * major version offers nothing that we may rely on; the base protocol still works with it.
 */
export function offers(capabilities: Capabilities | undefined, feature: Feature): boolean {
  if (capabilities === undefined) return false;
  const [major] = capabilities.version.split(".");
  return major === EXTENSION_VERSION.split(".")[0] && capabilities.features.includes(feature);
}
