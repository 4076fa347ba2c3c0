import type { Pod } from "kubernetes-types/core/v1.js";
import { ProtocolError } from "../errors.ts";
import type { RemotePodStatus, StatusStreamRecord } from "../messages.ts";
import {
  StatusAnswerSchema,
  StatusRequestSchema,
  StatusStreamRecordSchemas,
} from "../schemas/messages.ts";
import { assertTame, isJsonObject, parseJson } from "./json.ts";
import { type Reader, readerOf } from "./validate.ts";

const statusRequest = readerOf<Pod[]>(StatusRequestSchema, "status request");
const statusAnswer = readerOf<RemotePodStatus[]>(StatusAnswerSchema, "status answer");

/** `GET /status`: the pods asked for; `null` is none. Throws ProtocolError `invalid`. */
export function readStatusRequest(value: unknown): Pod[] {
  assertTame(value);
  return statusRequest(value);
}

/**
 * The answer to `GET /status`; `null` is none. An element without UID is matched to the pod of the same namespace and
 * name among those asked for; one that still has none is left out. Throws ProtocolError `invalid`: half an answer is
 * no answer, because a missing pod means "unknown here".
 */
export function readStatusAnswer(value: unknown, asked: readonly Pod[] = []): RemotePodStatus[] {
  assertTame(value);
  return statusAnswer(value).flatMap((status) => {
    if (status.UID !== "") return [status];
    const pod = asked.find(
      ({ metadata }) => metadata?.name === status.name && metadata.namespace === status.namespace,
    );
    return pod?.metadata?.uid === undefined ? [] : [{ ...status, UID: pod.metadata.uid }];
  });
}

type RecordType = StatusStreamRecord["type"];
const recordReaders: Record<RecordType, Reader<StatusStreamRecord>> = {
  status: readerOf(StatusStreamRecordSchemas.status, "status record"),
  synced: readerOf(StatusStreamRecordSchemas.synced, "synced record"),
  gone: readerOf(StatusStreamRecordSchemas.gone, "gone record"),
  event: readerOf(StatusStreamRecordSchemas.event, "event record"),
  heartbeat: readerOf(StatusStreamRecordSchemas.heartbeat, "heartbeat record"),
};

/**
 * One line of the status stream. `undefined` for a type that this version does not know: later versions may add some.
 * Throws ProtocolError `malformed` or `invalid`.
 */
export function readStatusStreamLine(line: string): StatusStreamRecord | undefined {
  const value = parseJson(line);
  assertTame(value);
  if (!isJsonObject(value) || typeof value["type"] !== "string") {
    throw new ProtocolError("invalid", "status stream: a line is not an object with a type");
  }
  const type = value["type"];
  if (!Object.hasOwn(recordReaders, type)) return undefined;
  return recordReaders[type as RecordType](value);
}
