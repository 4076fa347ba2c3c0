import type { Pod } from "kubernetes-types/core/v1.js";
import type { CreateAnswer, PodCreateRequest, RetrievedPodData } from "../messages.ts";
import { PodSchema } from "../schemas/kubernetes.ts";
import {
  CreateAnswerSchema,
  PodCreateRequestSchema,
  RetrievedPodDataSchema,
} from "../schemas/messages.ts";
import { assertTame } from "./json.ts";
import { readerOf } from "./validate.ts";

const createRequest = readerOf<PodCreateRequest>(PodCreateRequestSchema, "create request");
const retrievedPodData = readerOf<RetrievedPodData>(RetrievedPodDataSchema, "create request");
const createAnswer = readerOf<CreateAnswer>(CreateAnswerSchema, "create answer");
const deleteRequest = readerOf<Pod>(PodSchema, "delete request");

/** Old documentation and the oldest peers wrap a single object into a list. */
function unwrapped(value: unknown): unknown {
  return Array.isArray(value) && value.length === 1 ? (value[0] as unknown) : value;
}

/** `POST /create` as a virtual node sends it. Throws ProtocolError `invalid`. */
export function readCreateRequest(value: unknown): PodCreateRequest {
  assertTame(value);
  return createRequest(unwrapped(value));
}

/** `POST /create` as an API server sends it to a plugin. Throws ProtocolError `invalid`. */
export function readRetrievedPodData(value: unknown): RetrievedPodData {
  assertTame(value);
  return retrievedPodData(unwrapped(value));
}

/** The answer to create; `null` and `{}` are answers without ids. Throws ProtocolError `invalid`. */
export function readCreateAnswer(value: unknown): CreateAnswer {
  assertTame(value);
  return createAnswer(unwrapped(value) ?? {});
}

/** The pod of `DELETE`/`POST /delete`. Throws ProtocolError `invalid`. */
export function readDeleteRequest(value: unknown): Pod {
  assertTame(value);
  return deleteRequest(unwrapped(value));
}
