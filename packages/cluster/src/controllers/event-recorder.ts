import { ApiError } from "../api/api-error.ts";
import { clone, type KubeObject } from "../api/object.ts";
import { apiVersionOf, type ResourceDefinition } from "../resources/definition.ts";
import { systemCall } from "../rest/call.ts";
import { createObject } from "../rest/create.ts";
import { updateObject } from "../rest/update.ts";
import type { Storage } from "../storage/storage.ts";

const maxKnown = 4096;

/** Writes events about objects; the same event again raises the count of the first. */
export class EventRecorder {
  readonly #storage: Storage;
  readonly #known = new Map<string, string>();

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  record(
    component: string,
    about: { definition: ResourceDefinition; object: KubeObject },
    type: "Normal" | "Warning",
    reason: string,
    message: string,
  ): void {
    const { definition, object } = about;
    const { name = "", namespace, uid = "" } = object.metadata;
    const target = {
      definition: this.#storage.must("events"),
      namespace: namespace ?? "default",
    };
    const key = [component, definition.kind, uid, type, reason, message].join("\0");
    const known = this.#known.get(key);
    try {
      if (known !== undefined && this.#countUp(target, known)) return;
      const now = this.#storage.timestamp();
      const event: KubeObject = {
        apiVersion: "v1",
        kind: "Event",
        metadata: { name: `${name}.${this.#storage.chance.letters(16)}` },
        involvedObject: {
          kind: definition.kind,
          ...(namespace ? { namespace } : {}),
          name,
          uid,
          apiVersion: apiVersionOf(definition),
          resourceVersion: object.metadata.resourceVersion ?? "",
        },
        reason,
        message,
        source: { component },
        firstTimestamp: now,
        lastTimestamp: now,
        count: 1,
        type,
        reportingComponent: component,
        reportingInstance: "",
      };
      const created = createObject(this.#storage, target, event, systemCall(component));
      this.#remember(key, created.metadata.name ?? "");
    } catch (error) {
      // The namespace has gone or is going: nobody is left to read it.
      if (!(error instanceof ApiError) || (error.code !== 404 && error.code !== 403)) throw error;
    }
  }

  #countUp(target: { definition: ResourceDefinition; namespace: string }, name: string): boolean {
    if (!this.#storage.find("events", target.namespace, name)) return false;
    const now = this.#storage.timestamp();
    const change = (current: KubeObject): KubeObject => {
      const count = typeof current.count === "number" ? current.count : 1;
      return { ...clone(current), count: count + 1, lastTimestamp: now };
    };
    updateObject(this.#storage, target, name, change, systemCall("event-recorder"));
    return true;
  }

  #remember(key: string, name: string): void {
    this.#known.delete(key);
    this.#known.set(key, name);
    if (this.#known.size <= maxKnown) return;
    const [oldest] = this.#known.keys();
    if (oldest !== undefined) this.#known.delete(oldest);
  }
}
