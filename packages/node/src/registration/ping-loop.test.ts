import { expect, it } from "vitest";
import { type PingResult, runPingLoop } from "./ping-loop.ts";

const quick = { everyMs: 1, retryMs: 1, deadlineMs: 20 };

it("tells answers, failures and silence, and ends with its signal", async () => {
  const stop = new AbortController();
  const told: PingResult[] = [];
  const answers: ((signal: AbortSignal) => Promise<{ raw: string; answer: undefined }>)[] = [
    () => Promise.resolve({ raw: "pong", answer: undefined }),
    () => Promise.reject(new Error("refused")),
    (signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(new Error("cut")));
      }),
  ];
  const ping = (signal: AbortSignal): Promise<{ raw: string; answer: undefined }> =>
    answers[told.length]?.(signal) ?? Promise.reject(new Error("unreachable"));
  const listen = (result: PingResult): void => {
    told.push(result);
    if (told.length === answers.length) stop.abort();
  };
  await runPingLoop({ ping }, listen, stop.signal, quick);
  expect(told[0]).toEqual({ ok: true, raw: "pong", answer: undefined });
  expect(told[1]).toMatchObject({ ok: false, error: { message: "refused" } });
  expect(told[2]).toMatchObject({ ok: false, error: { code: "timeout" } });
  expect(told).toHaveLength(3);
});
