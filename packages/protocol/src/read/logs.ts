import { ProtocolError } from "../errors.ts";
import { type LogRequest, ZERO_TIME } from "../messages.ts";
import { LogRequestSchema } from "../schemas/messages.ts";
import { assertTame } from "./json.ts";
import { readerOf } from "./validate.ts";

const logRequest = readerOf<LogRequest>(LogRequestSchema, "log request");

/** `GET /getLogs`, with every option present afterwards. Throws ProtocolError `invalid`. */
export function readLogRequest(value: unknown): LogRequest {
  assertTame(value);
  const request = logRequest(value);
  if (request.Opts.SinceSeconds !== 0 && request.Opts.SinceTime !== ZERO_TIME) {
    throw new ProtocolError(
      "invalid",
      "log request: Opts.SinceSeconds and Opts.SinceTime are both set; set only one of them",
    );
  }
  return request;
}
