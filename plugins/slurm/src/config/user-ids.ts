import { PluginError } from "@interlink/plugin-sdk";
import type { Pod } from "kubernetes-types/core/v1.js";

/** Users from `first` to `last`, both included. */
export interface UidRange {
  first: number;
  last: number;
}

/** `1000`, `"1000"` or `"1000-1999"`. Throws a sentence. */
export function readUidRange(value: string | number): UidRange {
  const [, from, to] = /^(\d{1,10})(?:\s*-\s*(\d{1,10}))?$/.exec(String(value).trim()) ?? [];
  if (from === undefined || (to !== undefined && Number(to) < Number(from))) {
    throw new Error(
      `AllowedUIDs: ${JSON.stringify(value)} is neither a user id nor a range of them`,
    );
  }
  return { first: Number(from), last: Number(to ?? from) };
}

/**
 * As whom a pod's job runs: its `securityContext.runAsUser`, else its flavor's user, else the site's default.
 * `undefined`: as the plugin's own user. What a pod asks for itself must be in the site's list; without a list, a pod
 * may only ask for whom it would be anyway. Throws `PluginError` `rejected`.
 */
export function jobUser(options: {
  pod: Pod;
  flavorUid?: number;
  defaultUid?: number;
  allowed: readonly UidRange[];
  /** Of this process. */
  ownUid: number;
}): number | undefined {
  const { pod, flavorUid, defaultUid, allowed, ownUid } = options;
  const given = flavorUid ?? defaultUid;
  const asked = pod.spec?.securityContext?.runAsUser;
  if (asked === undefined || asked === null || asked === (given ?? ownUid)) return given;
  if (allowed.some(({ first, last }) => asked >= first && asked <= last)) return asked;
  throw new PluginError(
    "rejected",
    `The pod asks to run as user ${asked}, which this site does not allow. Leave securityContext.runAsUser out, or ask the site to add it to AllowedUIDs.`,
  );
}
