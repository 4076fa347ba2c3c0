import { ProtocolError } from "../errors.ts";
import type { Capabilities, PingAnswer } from "../messages.ts";
import { CapabilitiesSchema, PingAnswerSchema } from "../schemas/messages.ts";
import { assertTame, isJsonObject, parseJson } from "./json.ts";
import { type Reader, readerOf } from "./validate.ts";

const pingAnswer = readerOf<PingAnswer>(PingAnswerSchema, "ping answer");
const capabilities: Reader<Capabilities> = readerOf(CapabilitiesSchema, "capabilities");

/**
 * What a plugin says about its resource in the answer to a ping. Any 2xx body means that it lives; `undefined` when
 * the body is not such an object (text, `null`, a list, fields of another type). Never throws.
 */
export function readPingAnswer(body: string | Uint8Array): PingAnswer | undefined {
  try {
    const value = parseJson(body);
    if (!isJsonObject(value)) return undefined;
    assertTame(value);
    return pingAnswer(value);
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}

/** `GET /capabilities`. Throws ProtocolError `invalid`. */
export function readCapabilities(value: unknown): Capabilities {
  assertTame(value);
  return capabilities(value);
}
