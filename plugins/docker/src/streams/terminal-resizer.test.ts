import type { TerminalSize } from "@interlink/protocol";
import { expect, it } from "vitest";
import type { EngineClient, EngineRequest } from "../engine/engine-client.ts";
import { TerminalResizer } from "./terminal-resizer.ts";

const size = (width: number): TerminalSize => ({ width, height: 24 });
const never = new AbortController().signal;
const fail = (error: unknown): void => expect.unreachable(String(error));
/** An engine that answers what `answer` does; of an answer nothing is read. */
const engine = (answer: (request: EngineRequest) => Promise<void>): Pick<EngineClient, "json"> => ({
  json: async <T>(request: EngineRequest) => (await answer(request)) as T,
});

it("sends one size at a time, and of several only the newest", async () => {
  const sent: number[] = [];
  const waiting: (() => void)[] = [];
  const resizer = new TerminalResizer(
    engine(({ path, query }) => {
      expect(path).toBe("/exec/id/resize");
      sent.push(Number(query?.["w"]));
      return new Promise((resolve) => waiting.push(resolve));
    }),
    "/exec/id",
    never,
    fail,
  );
  for (const width of [1, 2, 3]) resizer.resize(size(width));
  expect(sent).toEqual([1]);
  waiting.shift()?.();
  await expect.poll(() => sent).toEqual([1, 3]);
  waiting.shift()?.();
});

it("tries again while the terminal is not there yet", async () => {
  let tries = 0;
  const resizer = new TerminalResizer(
    engine(() => (++tries < 3 ? Promise.reject(new Error("no such exec")) : Promise.resolve())),
    "/exec/id",
    never,
    fail,
  );
  resizer.resize(size(1));
  await expect.poll(() => tries).toBe(3);
});

it("gives up when the process has ended, and says nothing of it", async () => {
  const over = new AbortController();
  let tries = 0;
  const resizer = new TerminalResizer(
    engine(() => {
      tries++;
      over.abort();
      return Promise.reject(new Error("no such exec"));
    }),
    "/exec/id",
    over.signal,
    fail,
  );
  resizer.resize(size(1));
  await expect.poll(() => tries).toBe(1);
});

it("tells what it could not do after some tries", async () => {
  const told: unknown[] = [];
  const refused = new Error("refused");
  const resizer = new TerminalResizer(
    engine(() => Promise.reject(refused)),
    "/exec/id",
    never,
    (error) => told.push(error),
  );
  resizer.resize(size(1));
  await expect.poll(() => told, { timeout: 30_000 }).toEqual([refused]);
});
