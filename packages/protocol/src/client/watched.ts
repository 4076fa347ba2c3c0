import { ProtocolError } from "../errors.ts";
import type { OpenAnswer } from "./transport.ts";

/** Ends the stream with `timeout` when nothing, not even a heartbeat, has come for `silenceMs`. */
export async function* watched(
  answer: OpenAnswer,
  silenceMs: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const fellSilent = () =>
    answer.abort(
      new ProtocolError("timeout", `the status stream fell silent for ${silenceMs / 1000} s`),
    );
  let timer = setTimeout(fellSilent, silenceMs);
  try {
    for await (const chunk of answer.chunks()) {
      // A slow reader must not look like a silent peer: the clock stands while the chunk is being used.
      clearTimeout(timer);
      yield chunk;
      timer = setTimeout(fellSilent, silenceMs);
    }
  } finally {
    clearTimeout(timer);
  }
}
