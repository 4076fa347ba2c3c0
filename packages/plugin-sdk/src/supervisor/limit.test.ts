import { describe, expect, test } from "vitest";
import { Limit } from "./limit.ts";

const never = new AbortController().signal;

function held(): { task: () => Promise<void>; release: () => void } {
  let release = (): void => undefined;
  const promise = new Promise<void>((resolve) => {
    release = resolve;
  });
  return { task: () => promise, release: () => release() };
}

describe("a limit of one", () => {
  test("lets the others wait in order of arrival", async () => {
    const limit = new Limit(1);
    const order: string[] = [];
    const first = held();
    const running = limit.run(never, first.task);
    const others = ["b", "c"].map((name) =>
      limit.run(never, async () => {
        order.push(name);
      }),
    );
    expect(order).toEqual([]);
    first.release();
    await Promise.all([running, ...others]);
    expect(order).toEqual(["b", "c"]);
  });

  test("lets go at once of who gives up waiting, and goes on with the one behind", async () => {
    const limit = new Limit(1);
    const first = held();
    const running = limit.run(never, first.task);
    const controller = new AbortController();
    const given = limit.run(controller.signal, async () => "given up");
    const behind = limit.run(never, async () => "behind");
    controller.abort(new Error("overtaken"));
    await expect(given).rejects.toThrow("overtaken");
    first.release();
    expect(await behind).toBe("behind");
    await running;
    expect(await limit.run(never, async () => "free again")).toBe("free again");
  });

  test("is free again after a task that fails, and never runs one that was given up before", async () => {
    const limit = new Limit(1);
    const failing = limit.run(never, () => Promise.reject(new Error("no")));
    await expect(failing).rejects.toThrow("no");
    const given = limit.run(AbortSignal.abort(new Error("early")), async () => "ran");
    await expect(given).rejects.toThrow("early");
    expect(await limit.run(never, async () => "free")).toBe("free");
  });
});
