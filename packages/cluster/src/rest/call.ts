import type { AdmissionContext, ResourceDefinition } from "../resources/definition.ts";
import type { Storage } from "../storage/storage.ts";

/** One write: who makes it, and how it is to be taken. */
export interface Call {
  readonly user: string;
  readonly groups?: readonly string[];
  readonly uid?: string | undefined;
  /** Check and answer everything, store nothing. */
  readonly dryRun: boolean;
  warn(text: string): void;
}

/** A write by one of the controllers of the cluster itself. */
export function systemCall(user: string): Call {
  return { user, dryRun: false, warn: () => undefined };
}

/** A resource and the namespace of the request. */
export interface Target {
  readonly definition: ResourceDefinition;
  readonly namespace: string | undefined;
}

export function admissionContext(storage: Storage, call: Call): AdmissionContext {
  return {
    user: call.user,
    groups: call.groups ?? [],
    uid: call.uid,
    find: (plural, namespace, name) => storage.find(plural, namespace, name),
    findIn: (group, plural, name) => storage.find(plural, undefined, name, group),
    suffix: () => storage.chance.letters(5),
    now: () => storage.chance.now(),
    warn: (text) => call.warn(text),
  };
}
