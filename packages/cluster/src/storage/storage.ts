import { randomBytes, randomUUID } from "node:crypto";
import { type KubeObject, objectKey } from "../api/object.ts";
import type { ResourceDefinition } from "../resources/definition.ts";
import { ObjectStore, VersionCounter } from "./object-store.ts";

/** Where time and chance come from; tests give their own. */
export interface Chance {
  /** Milliseconds since the epoch. */
  now(): number;
  uuid(): string;
  /** `length` characters of the alphabet that generateName uses. */
  letters(length: number): string;
}

const alphabet = "bcdfghjklmnpqrstvwxz2456789";

export const systemChance: Chance = {
  now: () => Date.now(),
  uuid: () => randomUUID(),
  letters: (length) =>
    [...randomBytes(length)].map((byte) => alphabet[byte % alphabet.length]).join(""),
};

/** Everything that is stored: one ObjectStore per resource, under one version counter. */
export class Storage {
  readonly versions = new VersionCounter();
  readonly definitions: readonly ResourceDefinition[];
  readonly chance: Chance;
  readonly #stores = new Map<ResourceDefinition, ObjectStore>();
  readonly #byPlural = new Map<string, ResourceDefinition>();

  constructor(definitions: readonly ResourceDefinition[], historySize: number, chance: Chance) {
    this.definitions = definitions;
    this.chance = chance;
    for (const definition of definitions) {
      this.#stores.set(definition, new ObjectStore(this.versions, historySize));
      this.#byPlural.set(`${definition.group}/${definition.plural}`, definition);
    }
  }

  /** The definition of `pods` or, with its group, `jobs`. */
  definition(plural: string, group = ""): ResourceDefinition | undefined {
    return this.#byPlural.get(`${group}/${plural}`);
  }

  store(definition: ResourceDefinition): ObjectStore {
    const store = this.#stores.get(definition);
    if (!store) throw new Error(`no store for ${definition.plural}`);
    return store;
  }

  /** The store of a resource that this server is known to have. */
  storeOf(plural: string, group = ""): ObjectStore {
    return this.store(this.must(plural, group));
  }

  must(plural: string, group = ""): ResourceDefinition {
    const definition = this.definition(plural, group);
    if (!definition) throw new Error(`no resource ${plural} in group "${group}"`);
    return definition;
  }

  /** Forgets the history of everything: a watch from before is answered with 410. */
  compact(): void {
    for (const store of this.#stores.values()) store.compact();
  }

  find(
    plural: string,
    namespace: string | undefined,
    name: string,
    group = "",
  ): KubeObject | undefined {
    return this.storeOf(plural, group).get(objectKey(namespace, name));
  }

  /** Now as the API writes it: RFC 3339, whole seconds. */
  timestamp(): string {
    return apiTime(this.chance.now());
  }
}

/** Milliseconds since the epoch as a `metav1.Time`. */
export function apiTime(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}
