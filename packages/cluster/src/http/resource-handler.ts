import { ApiError, methodNotAllowed, noSuchResource, notFound } from "../api/api-error.ts";
import { clone, type JsonObject, type KubeObject, objectKey } from "../api/object.ts";
import type { Decoder } from "../openapi/decode.ts";
import { applyPatch } from "../patch/apply-patch.ts";
import type { DeleteOptions, ResourceDefinition } from "../resources/definition.ts";
import type { Target } from "../rest/call.ts";
import { createObject } from "../rest/create.ts";
import { type DeleteResult, deleteObject } from "../rest/delete.ts";
import { type ListContinuations, listObjects, parseVersion } from "../rest/list.ts";
import { parseSelection } from "../rest/selection.ts";
import { type Part, replaceObject, updateObject } from "../rest/update.ts";
import type { Storage } from "../storage/storage.ts";
import { mediaType, parseBody, readBody, readObject, readOptionalObject } from "./body.ts";
import type { Exchange } from "./exchange.ts";
import { negotiate, type ObjectJson, Representation } from "./representation.ts";
import type { ResourceRequest } from "./request-info.ts";
import { streamWatch } from "./watch-stream.ts";

/** A subresource that is not just a part of the object (`pods/log`, `serviceaccounts/token`). */
export type SubresourceHandler = (
  exchange: Exchange,
  info: ResourceRequest,
  target: Target,
) => Promise<void>;

export interface ResourceHandlerParts {
  storage: Storage;
  decoder: Decoder;
  json: ObjectJson;
  continuations: ListContinuations;
  bookmarkIntervalMs: number;
  /** By `plural/subresource`. */
  subresources: ReadonlyMap<string, SubresourceHandler>;
}

/** The REST verbs on every stored resource. */
export class ResourceHandler {
  readonly #parts: ResourceHandlerParts;

  constructor(parts: ResourceHandlerParts) {
    this.#parts = parts;
  }

  async handle(exchange: Exchange, info: ResourceRequest): Promise<void> {
    const definition = this.#parts.storage.definition(info.resource, info.group);
    if (!definition || definition.version !== info.version) throw noSuchResource();
    const namespace = definition.namespaced ? info.namespace : undefined;
    const target: Target = { definition, namespace };
    const part: Part = info.subresource ?? "object";
    const isPart = part === "status" || definition.strategy.parts?.[part] !== undefined;
    if (info.subresource !== undefined && !isPart) {
      const handler = this.#parts.subresources.get(`${info.resource}/${info.subresource}`);
      if (!handler) throw noSuchResource();
      await handler(exchange, info, target);
      return;
    }
    if (part === "status" && !definition.hasStatus) throw noSuchResource();
    const acrossNamespaces = definition.namespaced && namespace === undefined;
    if (acrossNamespaces && info.verb !== "list" && info.verb !== "watch") throw methodNotAllowed();
    await this.#verb(exchange, info, target, part);
  }

  async #verb(
    exchange: Exchange,
    info: ResourceRequest,
    target: Target,
    part: Part,
  ): Promise<void> {
    const name = info.name ?? "";
    if (part !== "object" && !["get", "update", "patch"].includes(info.verb)) {
      throw methodNotAllowed();
    }
    switch (info.verb) {
      case "get":
        return this.#get(exchange, target, name);
      case "list":
        return this.#list(exchange, info, target);
      case "watch":
        return this.#watch(exchange, info, target);
      case "create":
        if (info.name !== undefined) throw methodNotAllowed();
        return this.#create(exchange, target);
      case "update":
        if (info.name === undefined) throw methodNotAllowed();
        return this.#update(exchange, target, name, part);
      case "patch":
        if (info.name === undefined) throw methodNotAllowed();
        return this.#patch(exchange, target, name, part);
      case "delete":
        return this.#delete(exchange, target, name);
      case "deletecollection":
        return this.#deleteCollection(exchange, info, target);
    }
  }

  #representation(exchange: Exchange, definition: ResourceDefinition): Representation {
    const { json, storage } = this.#parts;
    const form = negotiate(exchange.request.headers.accept);
    return new Representation(definition, form, json, () => storage.chance.now(), exchange.query);
  }

  #answer(exchange: Exchange, target: Target, code: number, object: KubeObject): void {
    const representation = this.#representation(exchange, target.definition);
    exchange.text(code, representation.object(object), "application/json");
  }

  #get(exchange: Exchange, target: Target, name: string): void {
    const { storage } = this.#parts;
    parseVersion(exchange.query.get("resourceVersion"));
    const object = storage.store(target.definition).get(objectKey(target.namespace, name));
    if (!object) throw notFound(target.definition, name);
    this.#answer(exchange, target, 200, object);
  }

  #list(exchange: Exchange, info: ResourceRequest, target: Target): void {
    const { storage, continuations } = this.#parts;
    const { definition, namespace } = target;
    const selection = parseSelection(definition, namespace, undefined, exchange.query);
    const representation = this.#representation(exchange, definition);
    const page = listObjects(storage, definition, selection, exchange.query, continuations);
    const { items, ...metadata } = page;
    exchange.text(200, representation.list(items, metadata), "application/json");
  }

  #watch(exchange: Exchange, info: ResourceRequest, target: Target): void {
    const { storage, bookmarkIntervalMs } = this.#parts;
    const { definition, namespace } = target;
    const query = exchange.query;
    const selection = parseSelection(definition, namespace, info.name, query);
    const representation = this.#representation(exchange, definition);
    streamWatch(exchange.response, {
      storage,
      definition,
      selection,
      query,
      representation,
      bookmarkIntervalMs,
    });
  }

  async #create(exchange: Exchange, target: Target): Promise<void> {
    const { storage, decoder } = this.#parts;
    const body = await readObject(exchange.request);
    const object = decoder.decode(target.definition, body, exchange);
    const created = createObject(storage, target, object, exchange.call());
    this.#answer(exchange, target, 201, created);
  }

  async #update(exchange: Exchange, target: Target, name: string, part: Part): Promise<void> {
    const { storage, decoder } = this.#parts;
    const body = await readObject(exchange.request);
    const object = decoder.decode(target.definition, body, exchange);
    const result = replaceObject(storage, target, name, object, exchange.call(), part);
    this.#answer(exchange, target, result.created ? 201 : 200, result.object);
  }

  async #patch(exchange: Exchange, target: Target, name: string, part: Part): Promise<void> {
    const { storage, decoder } = this.#parts;
    const type = mediaType(exchange.request);
    const raw = await readBody(exchange.request);
    const patch = parseBody(raw, type);
    const { definition } = target;
    const apply = applyPatch(definition, type, patch, exchange.query, storage.timestamp());
    const key = objectKey(target.namespace, name);
    if (apply.createIfMissing && !storage.store(definition).get(key)) {
      const fresh = decoder.decode(definition, apply.fresh(name), exchange);
      this.#answer(exchange, target, 201, createObject(storage, target, fresh, exchange.call()));
      return;
    }
    const result = updateObject(
      storage,
      target,
      name,
      (current) => {
        const patched = apply.patch(clone(current) as unknown as JsonObject);
        return decoder.decode(definition, patched, exchange);
      },
      exchange.call(),
      part,
    );
    this.#answer(exchange, target, 200, result.object);
  }

  async #delete(exchange: Exchange, target: Target, name: string): Promise<void> {
    const options = await readDeleteOptions(exchange);
    const call = exchange.call(options.dryRun?.includes("All"));
    const result = deleteObject(this.#parts.storage, target, name, options, call);
    this.#answerDelete(exchange, target, name, result);
  }

  #answerDelete(exchange: Exchange, target: Target, name: string, result: DeleteResult): void {
    const { definition } = target;
    if (!result.removed || definition.returnsDeleted) {
      this.#answer(exchange, target, 200, result.object);
      return;
    }
    exchange.json(200, {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Success",
      details: {
        name,
        ...(definition.group === "" ? {} : { group: definition.group }),
        kind: definition.plural,
        uid: result.object.metadata.uid,
      },
    });
  }

  async #deleteCollection(
    exchange: Exchange,
    info: ResourceRequest,
    target: Target,
  ): Promise<void> {
    const { storage } = this.#parts;
    const options = await readDeleteOptions(exchange);
    const { definition, namespace } = target;
    const call = exchange.call(options.dryRun?.includes("All"));
    const selection = parseSelection(definition, namespace, undefined, exchange.query);
    const representation = this.#representation(exchange, definition);
    const items: KubeObject[] = [];
    for (const object of storage.store(definition).list().filter(selection)) {
      const where = { definition, namespace: object.metadata.namespace };
      try {
        const name = object.metadata.name ?? "";
        items.push(deleteObject(storage, where, name, options, call).object);
      } catch (error) {
        // Gone or changed in the meantime, which the real server passes over too.
        if (!(error instanceof ApiError) || (error.code !== 404 && error.code !== 409)) throw error;
      }
    }
    const metadata = { resourceVersion: String(storage.versions.current) };
    exchange.text(200, representation.list(items, metadata), "application/json");
  }
}

/** DeleteOptions come in the body, or in the query as older clients send them. */
async function readDeleteOptions(exchange: Exchange): Promise<DeleteOptions> {
  const body = (await readOptionalObject(exchange.request)) as DeleteOptions;
  const options: DeleteOptions = { ...body };
  const grace = exchange.query.get("gracePeriodSeconds");
  if (grace !== null && options.gracePeriodSeconds === undefined) {
    options.gracePeriodSeconds = Number(grace);
  }
  const propagation = exchange.query.get("propagationPolicy");
  if (propagation !== null && options.propagationPolicy === undefined) {
    options.propagationPolicy = propagation as "Background";
  }
  checkDeleteOptions(options);
  return options;
}

function checkDeleteOptions(options: DeleteOptions): void {
  const { gracePeriodSeconds: grace, propagationPolicy, preconditions } = options;
  const policies = ["Orphan", "Background", "Foreground"];
  const wrong =
    (grace !== undefined &&
      grace !== null &&
      !Number.isSafeInteger(grace) &&
      "gracePeriodSeconds") ||
    (propagationPolicy !== undefined &&
      propagationPolicy !== null &&
      !policies.includes(propagationPolicy) &&
      "propagationPolicy") ||
    (preconditions !== undefined &&
      (typeof preconditions !== "object" || preconditions === null) &&
      "preconditions");
  if (wrong) {
    throw new ApiError(422, "Invalid", `DeleteOptions is invalid: ${wrong}: Invalid value`, {
      kind: "DeleteOptions",
      causes: [{ reason: "FieldValueInvalid", message: "Invalid value", field: wrong }],
    });
  }
  if (grace === null) delete options.gracePeriodSeconds;
  if (propagationPolicy === null) delete options.propagationPolicy;
}
