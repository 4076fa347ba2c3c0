import type { IncomingMessage } from "node:http";
import { parse as parseYaml } from "yaml";
import { ApiError, badRequest } from "../api/api-error.ts";
import { isJsonObject, type JsonObject } from "../api/object.ts";
import { ProtobufDecoder, protobufType } from "../protobuf/decode.ts";

/** As the real server limits it (`MaxRequestBodyBytes`). */
export const maxBodyBytes = 3 * 1024 * 1024;

export function mediaType(request: IncomingMessage): string {
  return (request.headers["content-type"] ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
}

function tooLarge(limit: number): ApiError {
  const message = `Request entity too large: limit is ${limit}`;
  return new ApiError(413, "RequestEntityTooLarge", message);
}

/** The whole body. Throws 413 when it is too large; what is left of it is then not read. */
export async function readBody(request: IncomingMessage, limit = maxBodyBytes): Promise<Buffer> {
  if (Number(request.headers["content-length"] ?? 0) > limit) throw tooLarge(limit);
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) throw tooLarge(limit);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function decodeBody(body: Buffer, type: string): unknown {
  if (type === protobufType) return new ProtobufDecoder().decode(body);
  const text = body.toString("utf8");
  // maxAliasCount: a few lines of YAML can otherwise stand for gigabytes.
  if (type.includes("yaml")) return parseYaml(text, { maxAliasCount: 100 }) as unknown;
  return JSON.parse(text) as unknown;
}

/** JSON, or YAML or protobuf where the content type says so. Throws BadRequest. */
export function parseBody(body: Buffer, type: string): unknown {
  try {
    return decodeBody(body, type);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const message = `the body of the request could not be decoded: ${why}`;
    throw new ApiError(400, "BadRequest", message, undefined, error);
  }
}

const objectTypes = new Set(["", "application/json", "application/yaml", protobufType, "*/*"]);

/** An object in the body of a POST, PUT or DELETE. Throws 415 for other media types, 400 for no object. */
export async function readObject(request: IncomingMessage): Promise<JsonObject> {
  const type = mediaType(request);
  if (!objectTypes.has(type)) {
    throw new ApiError(
      415,
      "UnsupportedMediaType",
      `the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, ${protobufType}`,
    );
  }
  const value = parseBody(await readBody(request), type);
  if (!isJsonObject(value)) throw badRequest("the body of the request must be an object");
  return value;
}

/** Like readObject, but an empty body is an empty object (DELETE). */
export async function readOptionalObject(request: IncomingMessage): Promise<JsonObject> {
  const body = await readBody(request);
  if (body.length === 0) return {};
  const value = parseBody(body, mediaType(request));
  if (value === null) return {};
  if (!isJsonObject(value)) throw badRequest("the body of the request must be an object");
  return value;
}
