import type { KubeClient } from "@interlink/kube";
import { beforeEach, describe, expect, test } from "vitest";
import { aPod } from "../testing/pods.ts";
import { DEFAULT_TOKEN_TIMING, PodTokens } from "./pod-tokens.ts";

const HOUR = 3_600_000;
const wish = { key: "v/0", audience: undefined, expirationSeconds: 3600 };
const signal = new AbortController().signal;
const pod = aPod();

let now: number;
let wallMs: number;
let asked: number;
let refuses: boolean;
let random: number;
let tokens: PodTokens;
beforeEach(() => {
  now = 0;
  wallMs = 0;
  asked = 0;
  refuses = false;
  random = 0;
  const create = async (_path: string, body: object) => {
    asked += 1;
    if (refuses) throw new Error("forbidden");
    return { ...body, status: { token: `t${asked}` } };
  };
  tokens = new PodTokens({
    client: { create } as unknown as KubeClient,
    now: () => now,
    wallMs: () => wallMs,
    random: () => random,
    timing: DEFAULT_TOKEN_TIMING,
  });
});
const get = async (seconds = 3600) =>
  (await tokens.get(pod, [{ ...wish, expirationSeconds: seconds }], signal)).get("v/0");
const pass = (ms: number) => {
  now += ms;
  wallMs += ms;
};

describe("a token", () => {
  test("is exchanged after 80 % of its life, a little earlier by chance", async () => {
    expect(await get()).toEqual({ token: "t1" });
    expect(tokens.dueInMs("uid-1")).toBe(0.8 * HOUR);
    pass(0.8 * HOUR - 1);
    expect(await get()).toEqual({ token: "t1" });
    pass(1);
    random = 0.5;
    expect(await get()).toEqual({ token: "t2" });
    expect(tokens.dueInMs("uid-1")).toBe(0.8 * HOUR - 5000);
  });

  test("that lives for a year is exchanged after a day", async () => {
    await get(365 * 24 * 3600);
    expect(tokens.dueInMs("uid-1")).toBe(24 * HOUR);
  });

  test("serves on while no new one is to be had, and no longer than it lives", async () => {
    await get();
    pass(0.8 * HOUR);
    refuses = true;
    expect(await get()).toEqual({ token: "t1" });
    expect(tokens.dueInMs("uid-1")).toBe(30_000);
    pass(0.2 * HOUR);
    expect(await get()).toEqual({ error: "forbidden" });
    refuses = false;
    expect(await get()).toEqual({ token: "t4" });
  });

  test("is exchanged when the machine slept through its time, or its clock was set forward", async () => {
    await get();
    wallMs += HOUR;
    expect(await get()).toEqual({ token: "t2" });
  });

  test("is exchanged in time though the clock was set back", async () => {
    await get();
    wallMs -= 24 * HOUR;
    now += 0.8 * HOUR;
    expect(await get()).toEqual({ token: "t2" });
  });
});

test("who asks at the same time shares the question, and its failure is not kept", async () => {
  refuses = true;
  expect(await Promise.all([get(), get()])).toEqual([
    { error: "forbidden" },
    { error: "forbidden" },
  ]);
  expect(asked).toBe(1);
  refuses = false;
  expect(await get()).toEqual({ token: "t2" });
});
