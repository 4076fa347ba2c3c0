import { badRequest, expired, tooLargeResourceVersion } from "../api/api-error.ts";
import type { KubeObject } from "../api/object.ts";
import type { ResourceDefinition } from "../resources/definition.ts";
import type { Storage } from "../storage/storage.ts";
import type { Selection } from "./selection.ts";

export interface ListPage {
  items: KubeObject[];
  resourceVersion: string;
  continue?: string;
  remainingItemCount?: number;
}

/** Lists that were answered in part. The pages of one list are all cut from the same moment. */
export class ListContinuations {
  readonly #lists = new Map<string, { version: number; rest: KubeObject[]; madeAt: number }>();
  readonly #newToken: () => string;
  readonly #now: () => number;
  readonly #maximum: number;
  readonly #lifetimeMs: number;

  constructor(
    newToken: () => string,
    now: () => number,
    { maximum = 256, lifetimeMs = 5 * 60_000 } = {},
  ) {
    this.#newToken = newToken;
    this.#now = now;
    this.#maximum = maximum;
    this.#lifetimeMs = lifetimeMs;
  }

  keep(version: number, rest: KubeObject[]): string {
    for (const [token, list] of this.#lists) {
      const old = this.#now() - list.madeAt > this.#lifetimeMs;
      if (old || this.#lists.size >= this.#maximum) this.#lists.delete(token);
      else break;
    }
    const token = this.#newToken();
    this.#lists.set(token, { version, rest, madeAt: this.#now() });
    return token;
  }

  get(token: string): { version: number; rest: KubeObject[] } {
    const list = this.#lists.get(token);
    if (!list || this.#now() - list.madeAt > this.#lifetimeMs) {
      throw expired(
        "The provided continue parameter is too old to display a consistent list result. You must start a new list without the continue parameter.",
      );
    }
    return list;
  }
}

/** A resourceVersion parameter; undefined when unset. Throws BadRequest. */
export function parseVersion(text: string | null): number | undefined {
  if (text === null || text === "") return undefined;
  if (!/^\d{1,15}$/.test(text)) {
    throw badRequest(`resourceVersion: Invalid value: ${JSON.stringify(text)}: invalid syntax`);
  }
  return Number(text);
}

export function listObjects(
  storage: Storage,
  definition: ResourceDefinition,
  selection: Selection,
  query: URLSearchParams,
  continuations: ListContinuations,
): ListPage {
  const limit = Number(query.get("limit") ?? 0);
  const token = query.get("continue");
  if (token) {
    const { version, rest } = continuations.get(token);
    return cut(rest, version, limit, continuations);
  }
  const version = storage.versions.current;
  const asked = parseVersion(query.get("resourceVersion"));
  if (asked !== undefined && asked > version) throw tooLargeResourceVersion(asked, version);
  if (query.get("resourceVersionMatch") === "Exact" && asked !== undefined && asked < version) {
    throw expired(`The resourceVersion for the provided list is too old.`);
  }
  const items = storage.store(definition).list().filter(selection);
  // With resourceVersion=0 the real server answers from its cache and ignores the limit.
  return cut(items, version, asked === 0 ? 0 : limit, continuations);
}

function cut(
  items: KubeObject[],
  version: number,
  limit: number,
  continuations: ListContinuations,
): ListPage {
  const resourceVersion = String(version);
  if (!(limit > 0) || items.length <= limit) return { items, resourceVersion };
  const rest = items.slice(limit);
  return {
    items: items.slice(0, limit),
    resourceVersion,
    continue: continuations.keep(version, rest),
    remainingItemCount: rest.length,
  };
}
