import { eventually } from "@interlink/kube/testing";
import { pino } from "pino";
import { expect, test } from "vitest";
import { followClientCa } from "./client-ca.ts";

test("a CA that was refused at first is taken later, and another one when it is replaced", async () => {
  const answers: (string | Error | undefined)[] = [
    undefined,
    new Error("away"),
    "one",
    "one",
    "two",
  ];
  const used: string[] = [];
  const stop = new AbortController();
  const following = followClientCa(
    {
      known: undefined,
      find: async () => {
        const answer = answers.length > 1 ? answers.shift() : answers[0];
        if (answer instanceof Error) throw answer;
        return answer;
      },
      use: (pem) => used.push(pem),
      logger: pino({ level: "silent" }),
      missingMs: 1,
      everyMs: 1,
    },
    stop.signal,
  );
  await eventually(() => used.length === 2);
  stop.abort();
  await following;
  expect(used).toEqual(["one", "two"]);
});
