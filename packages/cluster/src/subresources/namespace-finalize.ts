import type { Namespace } from "kubernetes-types/core/v1.js";
import { methodNotAllowed, notFound } from "../api/api-error.ts";
import { as, clone } from "../api/object.ts";
import { readObject } from "../http/body.ts";
import type { SubresourceHandler } from "../http/resource-handler.ts";
import type { Decoder } from "../openapi/decode.ts";
import type { Storage } from "../storage/storage.ts";

/** Sets the finalizers of a namespace; a namespace that is being deleted and has none left goes. */
export function finalizeNamespace(storage: Storage, name: string, finalizers: string[]): void {
  const store = storage.storeOf("namespaces");
  const current = store.get(name);
  if (!current) throw notFound(storage.must("namespaces"), name);
  const next = clone(current);
  const spec = { ...as<Namespace>(next).spec };
  if (finalizers.length > 0) next.spec = { ...spec, finalizers };
  else next.spec = {};
  store.put(name, next);
  if (finalizers.length === 0 && next.metadata.deletionTimestamp) store.remove(name);
}

/** `PUT namespaces/NAME/finalize`. */
export function namespaceFinalize(storage: Storage, decoder: Decoder): SubresourceHandler {
  return async (exchange, info, target) => {
    if (exchange.request.method !== "PUT") throw methodNotAllowed();
    const body = await readObject(exchange.request);
    const object = decoder.decode(target.definition, body, exchange);
    const finalizers = as<Namespace>(object).spec?.finalizers ?? [];
    const name = info.name ?? "";
    if (!exchange.call().dryRun) finalizeNamespace(storage, name, [...finalizers]);
    exchange.json(200, object);
  };
}
