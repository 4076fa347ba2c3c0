import { isIP, isIPv4 } from "node:net";

/**
 * Pod IPs that the Kubernetes API accepts: valid, unique, at most one per family. Loopback and link-local addresses are
 * left out: endpoint validation refuses them, and one such pod would break the Endpoints of every Service selecting it.
 */
export function podIPs(candidates: readonly (string | undefined)[]): string[] {
  return onePerFamily(candidates, isUsable);
}

/** Addresses of the host, as the API accepts them; loopback too, for no Service routes to them. */
export function hostIPs(candidates: readonly (string | undefined)[]): string[] {
  return onePerFamily(candidates, (ip) => isIP(ip) !== 0);
}

function onePerFamily(
  candidates: readonly (string | undefined)[],
  accepts: (ip: string) => boolean,
): string[] {
  const byFamily = new Map<number, string>();
  for (const ip of candidates) {
    if (!ip || !accepts(ip) || byFamily.has(isIP(ip))) continue;
    byFamily.set(isIP(ip), ip);
  }
  return [...byFamily.values()];
}

function isUsable(ip: string): boolean {
  if (isIPv4(ip)) return !/^(?:127\.|169\.254\.|0\.|255\.255\.255\.255$)/.test(ip);
  return isIP(ip) === 6 && !/^(?:::1?$|fe[89ab])/i.test(ip);
}
