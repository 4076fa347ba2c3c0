import { describe, expect, test } from "vitest";
import { podData } from "../testing/pod-data.ts";
import { ProviderHarness } from "../testing/provider-harness.ts";
import { exited, NOW, running } from "../testing/situation.ts";
import { withoutFuture } from "./clock-set-back.ts";
import type { PodRecord } from "./record.ts";
import { EMPTY_RECORD } from "./record.ts";

const HOUR = 3_600_000;
const UID = "0f3a5b1e-1111-4222-8333-444455556666";

describe("a record after the clock was set back", () => {
  const record: PodRecord = {
    ...EMPTY_RECORD,
    containers: {
      ended: { ...exited(1), crash: { delayMs: 10_000, updatedAt: NOW - 5_000 } },
      pulling: {
        image: {
          code: "ErrImagePull",
          message: "no",
          backOff: { delayMs: 20_000, updatedAt: NOW },
        },
      },
      making: { problem: { reason: "CreateContainerError", message: "no", retryAt: NOW + 12_000 } },
      well: running(),
    },
    deletion: { requestedAt: NOW - 1_000, deadline: NOW + 29_000 },
  };

  test("is the same one when nothing in it lies ahead", () => {
    expect(withoutFuture(record, NOW)).toBe(record);
    expect(withoutFuture(record, NOW + HOUR)).toBe(record);
  });

  test("waits for nothing longer than from now on", () => {
    const now = NOW - HOUR;
    const { containers, deletion } = withoutFuture(record, now);
    expect(containers["ended"]?.current).toMatchObject({ startedAt: now, finishedAt: now });
    expect(containers["ended"]?.crash).toEqual({ delayMs: 10_000, updatedAt: now });
    expect(containers["pulling"]?.image?.backOff).toEqual({ delayMs: 20_000, updatedAt: now });
    expect(containers["making"]?.problem?.retryAt).toBe(now + 15_000);
    expect(containers["well"]).toBe(record.containers["well"]);
    expect(deletion).toEqual({ requestedAt: now, deadline: now + 30_000 });
  });
});

describe("when the clock is set back", () => {
  test("a crashed container waits no longer than its back-off", async () => {
    await using harness = await ProviderHarness.start();
    harness.runtime.behaviours.set("main", { exitCode: 1 });
    await harness.provider.create(podData(UID), harness.signal);
    const backsOff = async () => (await harness.state(UID, "main")) === "CrashLoopBackOff";
    await harness.until("it backs off", backsOff);
    harness.clock.setBack(HOUR);
    const from = harness.clock.now();
    await harness.until("it runs again", () => {
      harness.clock.advance(100);
      return harness.runtime.starts.length === 3;
    });
    expect(harness.clock.now() - from).toBeLessThan(30_000);
  });

  test("a delete waits no longer than its grace for a hook", async () => {
    await using harness = await ProviderHarness.start();
    const lifecycle = { preStop: { sleep: { seconds: 3600 } } };
    const containers = [{ name: "main", image: "app", lifecycle }];
    const data = podData(UID, { containers });
    await harness.provider.create(data, harness.signal);
    const runs = async () => (await harness.state(UID, "main")) === "running";
    await harness.until("it runs", runs);
    await harness.provider.delete(data.pod, harness.signal);
    await harness.until("its end has begun", () => harness.reasons().includes("Killing"));
    harness.clock.setBack(HOUR);
    const from = harness.clock.now();
    await harness.until("it is gone", () => {
      harness.clock.advance(100);
      return harness.gone.includes(UID);
    });
    expect(harness.clock.now() - from).toBeLessThan(60_000);
  });

  test("probes go on, and so does the look at everything", async () => {
    await using harness = await ProviderHarness.start();
    let looks = 0;
    harness.runtime.behaviours.set("main", {
      exec: () => {
        looks++;
        return { exitCode: 0, output: "" };
      },
    });
    const readinessProbe = { exec: { command: ["check"] }, periodSeconds: 1 };
    const containers = [{ name: "main", image: "app", readinessProbe }];
    await harness.provider.create(podData(UID, { containers }), harness.signal);
    await harness.until("it was probed", () => looks > 0);
    harness.clock.setBack(HOUR);
    const from = harness.clock.now();
    looks = 0;
    await harness.until("it was probed", () => {
      harness.clock.advance(100);
      return looks > 2;
    });
    harness.runtime.vanish("main");
    await harness.until("it is missed", async () => {
      harness.clock.advance(100);
      return harness.runtime.starts.length > 1;
    });
    expect(harness.clock.now() - from).toBeLessThan(60_000);
  });
});
