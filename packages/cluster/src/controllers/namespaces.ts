import { ApiError } from "../api/api-error.ts";
import { systemCall } from "../rest/call.ts";
import { deleteObject } from "../rest/delete.ts";
import { finalizeNamespace } from "../subresources/namespace-finalize.ts";
import { type Controller, type ControllerParts, Lifetime } from "./controller.ts";
import { KeyQueue } from "./key-queue.ts";

/** Empties a namespace that is being deleted, then lets it go. */
export function namespaceController(parts: ControllerParts): Controller {
  const { storage, logger } = parts;
  const lifetime = new Lifetime();
  const call = systemCall("system:namespace-controller");
  const namespaced = storage.definitions.filter((definition) => definition.namespaced);
  const queue = new KeyQueue("namespaces", logger, (name) => {
    const namespace = storage.find("namespaces", undefined, name);
    if (!namespace?.metadata.deletionTimestamp) return;
    let left = 0;
    for (const definition of namespaced) {
      for (const object of storage.store(definition).list()) {
        if (object.metadata.namespace !== name) continue;
        left += 1;
        if (object.metadata.deletionTimestamp) continue;
        const target = { definition, namespace: name };
        const result = deleteTolerantly(target, object.metadata.name ?? "");
        if (result) left -= 1;
      }
    }
    if (left === 0) finalizeNamespace(storage, name, []);
  });

  function deleteTolerantly(target: Parameters<typeof deleteObject>[1], name: string): boolean {
    try {
      return deleteObject(storage, target, name, { propagationPolicy: "Background" }, call).removed;
    } catch (error) {
      if (error instanceof ApiError && error.code === 404) return true;
      throw error;
    }
  }

  return {
    start: () => {
      const namespaces = storage.storeOf("namespaces");
      for (const object of namespaces.values()) queue.add(object.metadata.name ?? "");
      lifetime.add(namespaces.subscribe((event) => queue.add(event.key)));
      for (const definition of namespaced) {
        lifetime.add(
          storage.store(definition).subscribe((event) => {
            if (event.type === "MODIFIED") return;
            const name = event.object.metadata.namespace ?? "";
            if (storage.find("namespaces", undefined, name)?.metadata.deletionTimestamp) {
              queue.add(name);
            }
          }),
        );
      }
    },
    flush: () => queue.flush(),
    stop: () => {
      lifetime.end();
      queue.stop();
    },
  };
}
