import { StatsAnswerSchema } from "../schemas/streams.ts";
import type { StatsAnswer } from "../streams/stats.ts";
import { assertTame } from "./json.ts";
import { readerOf } from "./validate.ts";

const statsAnswer = readerOf<StatsAnswer>(StatsAnswerSchema, "stats answer");

/** `GET /stats`. Throws ProtocolError `invalid`. */
export function readStatsAnswer(value: unknown): StatsAnswer {
  assertTame(value);
  return statsAnswer(value);
}
