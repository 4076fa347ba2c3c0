import { badRequest } from "../api/api-error.ts";
import { isJsonObject, type JsonObject, type KubeObject } from "../api/object.ts";
import { apiVersionOf, type ResourceDefinition } from "../resources/definition.ts";

/** The part of a request that says how unknown fields are taken, and where warnings go. */
export interface DecodeRequest {
  readonly query: URLSearchParams;
  warn(text: string): void;
}

/** Turns a body into an object of the kind. The body becomes the object. Throws BadRequest. */
export class Decoder {
  decode(definition: ResourceDefinition, body: JsonObject, _request: DecodeRequest): KubeObject {
    const expected = apiVersionOf(definition);
    body.apiVersion ??= expected;
    body.kind ??= definition.kind;
    if (body.apiVersion !== expected) {
      throw badRequest(
        `the API version in the data (${show(body.apiVersion)}) does not match the expected API version (${expected})`,
      );
    }
    if (body.kind !== definition.kind) {
      throw badRequest(
        `${show(body.kind)} in version "${definition.version}" cannot be handled as a ${definition.kind}: the kind in the data does not match`,
      );
    }
    body.metadata ??= {};
    if (!isJsonObject(body.metadata)) throw badRequest("metadata must be an object");
    return body as unknown as KubeObject;
  }
}

function show(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
