import { eventually } from "@interlink/kube/testing";
import { expect, it } from "vitest";
import { type PingResult, startPingLoop } from "./ping-loop.ts";

const quick = { everyMs: 1, firstRetryMs: 1, retryMs: 1, deadlineMs: 20 };

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
  await startPingLoop({ ping }, listen, stop.signal, quick).ended;
  expect(told[0]).toEqual({ ok: true, raw: "pong", answer: undefined });
  expect(told[1]).toMatchObject({ ok: false, error: { message: "refused" } });
  expect(told[2]).toMatchObject({ ok: false, error: { code: "timeout" } });
  expect(told).toHaveLength(3);
});

it("asks again at once when told to, also when told during a question", async () => {
  const stop = new AbortController();
  let pings = 0;
  let answer: () => void = () => undefined;
  const ping = (): Promise<{ raw: string; answer: undefined }> => {
    pings += 1;
    return new Promise((resolve) => {
      answer = () => resolve({ raw: "", answer: undefined });
    });
  };
  let told = 0;
  const seldom = { everyMs: 3_600_000, firstRetryMs: 1, retryMs: 1, deadlineMs: 60_000 };
  const loop = startPingLoop({ ping }, () => (told += 1), stop.signal, seldom);
  loop.pingNow();
  answer();
  await eventually(() => pings === 2);
  answer();
  await eventually(() => told === 2);
  loop.pingNow();
  await eventually(() => pings === 3);
  stop.abort();
  answer();
  await loop.ended;
  expect(told).toBe(2);
});
