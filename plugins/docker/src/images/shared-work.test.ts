import { expect, it } from "vitest";
import { SharedWork } from "./shared-work.ts";

const signal = new AbortController().signal;

function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

it("does at once only once what several ask for, and anew afterwards", async () => {
  const shared = new SharedWork<number>();
  const { promise, resolve } = deferred<number>();
  let started = 0;
  const ask = (): Promise<number> =>
    shared.do("key", signal, () => {
      started++;
      return promise;
    });
  const answers = [ask(), ask()];
  resolve(7);
  expect(await Promise.all(answers)).toEqual([7, 7]);
  expect(started).toBe(1);
  await ask();
  expect(started).toBe(2);
});

it("keeps different keys apart", async () => {
  const shared = new SharedWork<string>();
  const ask = (key: string): Promise<string> => shared.do(key, signal, () => Promise.resolve(key));
  expect(await Promise.all([ask("a"), ask("b")])).toEqual(["a", "b"]);
});

it("gives the failure to all, and does not remember it", async () => {
  const shared = new SharedWork<number>();
  const fail = (): Promise<number> =>
    shared.do("key", signal, () => Promise.reject(new Error("no")));
  const failures = await Promise.allSettled([fail(), fail()]);
  expect(failures.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  expect(await shared.do("key", signal, () => Promise.resolve(1))).toBe(1);
});

it("goes on while somebody waits, and is aborted when the last one has left", async () => {
  const shared = new SharedWork<number>();
  const first = new AbortController();
  const second = new AbortController();
  let work: AbortSignal | undefined;
  const ask = (leaving: AbortController): Promise<number> =>
    shared.do("key", leaving.signal, (given) => {
      work = given;
      return new Promise(() => undefined);
    });
  const answers = [ask(first), ask(second)];
  first.abort(new Error("first leaves"));
  await expect(answers[0]).rejects.toThrow("first leaves");
  expect(work?.aborted).toBe(false);
  second.abort(new Error("second leaves"));
  await expect(answers[1]).rejects.toThrow("second leaves");
  expect(work?.aborted).toBe(true);
  // A newcomer does not join what was given up.
  expect(await shared.do("key", signal, () => Promise.resolve(5))).toBe(5);
});

it("tells its progress to all who wait, and the newest to those who come later", async () => {
  const shared = new SharedWork<void, number>();
  const { promise, resolve } = deferred<void>();
  const heard: Record<"first" | "second" | "leaving", number[]> = {
    first: [],
    second: [],
    leaving: [],
  };
  let tell: (progress: number) => void = () => undefined;
  const ask = (who: keyof typeof heard, waiting = signal): Promise<void> =>
    shared.do(
      "key",
      waiting,
      (_, given) => {
        tell = given;
        return promise;
      },
      (progress) => heard[who].push(progress),
    );
  const leaving = new AbortController();
  const left = ask("leaving", leaving.signal);
  const first = ask("first");
  tell(1);
  leaving.abort(new Error("gone"));
  await expect(left).rejects.toThrow("gone");
  tell(2);
  const second = ask("second");
  tell(3);
  resolve();
  await Promise.all([first, second]);
  expect(heard).toEqual({ first: [1, 2, 3], second: [2, 3], leaving: [1] });
});
