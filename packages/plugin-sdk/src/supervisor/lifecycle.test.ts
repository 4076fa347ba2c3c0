import type { Container } from "kubernetes-types/core/v1.js";
import { describe, expect, test } from "vitest";
import { podData } from "../testing/pod-data.ts";
import { ProviderHarness } from "../testing/provider-harness.ts";

const UID = "0f3a5b1e-1111-4222-8333-444455556666";
const main: Container = { name: "main", image: "app" };
const sidecar = (name: string): Container => ({ name, image: "app", restartPolicy: "Always" });

const isRunning = (harness: ProviderHarness, name: string) => async () =>
  (await harness.state(UID, name)) === "running";

const startsAndStops = (harness: ProviderHarness): string[] =>
  harness.runtime.calls.filter((call) => /^(?:startContainer|stopContainer|exec)/.test(call));

describe("probes", () => {
  const probe = (command: string) => ({ exec: { command: [command] }, periodSeconds: 1 });

  test("a liveness probe that fails three times has its container killed and restarted", async () => {
    await using harness = await ProviderHarness.start();
    let isWell = true;
    harness.runtime.behaviours.set("main", {
      exec: () => (isWell ? { exitCode: 0, output: "" } : { exitCode: 1, output: "no pulse" }),
    });
    const containers = [{ ...main, livenessProbe: probe("check") }];
    await harness.provider.create(podData(UID, { containers }), harness.signal);
    await harness.until("it runs", isRunning(harness, "main"));
    isWell = false;
    await harness.until("it is restarted", () => {
      harness.clock.advance(100);
      return harness.runtime.starts.length === 2;
    });
    const about = harness.events.filter(({ reason }) => /Unhealthy|Killing/.test(reason));
    expect(about.slice(0, 4).map(({ message }) => message)).toEqual([
      "Liveness probe failed: no pulse",
      "Liveness probe failed: no pulse",
      "Liveness probe failed: no pulse",
      "Container main failed liveness probe, will be restarted",
    ]);
  });

  test("readiness follows its probe and restarts nothing", async () => {
    await using harness = await ProviderHarness.start();
    let exitCode = 1;
    harness.runtime.behaviours.set("main", { exec: () => ({ exitCode, output: "" }) });
    const containers = [{ ...main, readinessProbe: { ...probe("ready"), failureThreshold: 1 } }];
    await harness.provider.create(podData(UID, { containers }), harness.signal);
    await harness.until("it runs", isRunning(harness, "main"));
    const isReady = async () => (await harness.status(UID))?.containers[0]?.ready;
    expect(await isReady()).toBe(false);
    exitCode = 0;
    await harness.until("it is ready", () => {
      harness.clock.advance(100);
      return isReady();
    });
    exitCode = 1;
    await harness.until("it is not", async () => {
      harness.clock.advance(100);
      return (await isReady()) === false;
    });
    expect(harness.runtime.starts).toHaveLength(1);
  });

  test("liveness waits for startup, and startup makes a container started", async () => {
    await using harness = await ProviderHarness.start();
    const asked: string[] = [];
    let hasStarted = false;
    harness.runtime.behaviours.set("main", {
      exec: ([command = ""]) => {
        asked.push(command);
        return { exitCode: command === "startup" && !hasStarted ? 1 : 0, output: "" };
      },
    });
    const startupProbe = { ...probe("startup"), failureThreshold: 100 };
    const containers = [{ ...main, startupProbe, livenessProbe: probe("liveness") }];
    await harness.provider.create(podData(UID, { containers }), harness.signal);
    await harness.until("it was asked", () => {
      harness.clock.advance(100);
      return asked.length >= 3;
    });
    expect(new Set(asked)).toEqual(new Set(["startup"]));
    expect((await harness.status(UID))?.containers[0]?.started).toBe(false);
    hasStarted = true;
    await harness.until("liveness is asked", () => {
      harness.clock.advance(100);
      return asked.includes("liveness");
    });
    expect((await harness.status(UID))?.containers[0]?.started).toBe(true);
  });
});

describe("hooks", () => {
  test("postStart runs before the next container starts, preStop before the stop signal", async () => {
    await using harness = await ProviderHarness.start();
    const lifecycle = {
      postStart: { exec: { command: ["hello"] } },
      preStop: { exec: { command: ["goodbye"] } },
    };
    const data = podData(UID, {
      containers: [
        { ...main, lifecycle },
        { ...main, name: "next" },
      ],
    });
    await harness.provider.create(data, harness.signal);
    await harness.until("both run", isRunning(harness, "next"));
    await harness.provider.delete(data.pod, harness.signal);
    await harness.until("it is gone", () => harness.gone.includes(UID));
    const steps = startsAndStops(harness);
    expect(steps.slice(0, 3)).toEqual([
      "startContainer main 0",
      "exec main hello",
      "startContainer next 0",
    ]);
    const bye = steps.indexOf("exec main goodbye");
    const stop = steps.findIndex((step) => step.startsWith("stopContainer main"));
    expect(bye).toBeGreaterThan(0);
    expect(stop).toBeGreaterThan(bye);
  });

  test("a postStart hook that fails has its container killed", async () => {
    await using harness = await ProviderHarness.start();
    harness.runtime.behaviours.set("main", { exec: () => ({ exitCode: 1, output: "" }) });
    const lifecycle = { postStart: { exec: { command: ["hello"] } } };
    const data = podData(UID, { restartPolicy: "Never", containers: [{ ...main, lifecycle }] });
    await harness.provider.create(data, harness.signal);
    await harness.until(
      "it was killed",
      async () => (await harness.state(UID, "main")) === "Error",
    );
    expect(harness.reasons()).toContain("FailedPostStartHook");
  });

  test("a preStop hook is not waited for once its container has ended", async () => {
    await using harness = await ProviderHarness.start();
    const lifecycle = { preStop: { sleep: { seconds: 3600 } } };
    const data = podData(UID, { containers: [{ ...main, lifecycle }] });
    await harness.provider.create(data, harness.signal);
    await harness.until("it runs", isRunning(harness, "main"));
    await harness.provider.delete(data.pod, harness.signal);
    await harness.until("its end has begun", () => harness.reasons().includes("Killing"));
    const asked = harness.clock.now();
    harness.runtime.exit("main", 0);
    await harness.until("it is gone", () => harness.gone.includes(UID));
    expect(harness.clock.now() - asked).toBeLessThan(30_000);
    expect(harness.reasons()).not.toContain("FailedPreStopHook");
  });

  test("a preStop hook that does not end is given up when the grace is over", async () => {
    await using harness = await ProviderHarness.start();
    const lifecycle = { preStop: { sleep: { seconds: 3600 } } };
    const data = podData(UID, { containers: [{ ...main, lifecycle }] });
    await harness.provider.create(data, harness.signal);
    await harness.until("it runs", isRunning(harness, "main"));
    await harness.provider.delete(data.pod, harness.signal);
    await harness.until(
      "it is being deleted",
      async () => (await harness.status(UID))?.extension?.deleting,
    );
    harness.clock.advance(30_000);
    await harness.until("it is gone", () => harness.gone.includes(UID));
    expect(startsAndStops(harness).at(-1)).toBe("stopContainer main 0 2s");
  });
});

describe("init containers and sidecars", () => {
  test("start in order, and sidecars stop in reverse after the regular ones", async () => {
    await using harness = await ProviderHarness.start();
    harness.runtime.behaviours.set("set-up", { exitCode: 0 });
    const data = podData(UID, {
      restartPolicy: "Never",
      initContainers: [sidecar("proxy"), { name: "set-up", image: "app" }, sidecar("logs")],
      containers: [main],
    });
    await harness.provider.create(data, harness.signal);
    await harness.until("it runs", isRunning(harness, "main"));
    harness.runtime.exit("main", 3);
    await harness.until("all is over", async () => {
      const status = await harness.status(UID);
      return status?.initContainers.every(({ state }) => state?.terminated !== undefined);
    });
    expect(startsAndStops(harness)).toEqual([
      "startContainer proxy 0",
      "startContainer set-up 0",
      "startContainer logs 0",
      "startContainer main 0",
      "stopContainer logs 0 30s",
      "stopContainer proxy 0 30s",
    ]);
    expect(await harness.state(UID, "main")).toBe("Error");
  });

  test("a sidecar that ends is started again, whatever its pod's policy", async () => {
    await using harness = await ProviderHarness.start();
    const data = podData(UID, {
      restartPolicy: "Never",
      initContainers: [sidecar("proxy")],
      containers: [main],
    });
    await harness.provider.create(data, harness.signal);
    await harness.until("it runs", isRunning(harness, "main"));
    harness.runtime.exit("proxy", 0);
    await harness.until("it runs again", () => harness.runtime.starts.includes(`${UID}/proxy/1`));
    expect(await harness.state(UID, "main")).toBe("running");
  });

  test("an init container that fails for good ends the pod before its containers start", async () => {
    await using harness = await ProviderHarness.start();
    harness.runtime.behaviours.set("set-up", { exitCode: 9 });
    const data = podData(UID, {
      restartPolicy: "Never",
      initContainers: [{ name: "set-up", image: "app" }],
      containers: [main],
    });
    await harness.provider.create(data, harness.signal);
    await harness.until(
      "it has failed",
      async () => (await harness.state(UID, "set-up")) === "Error",
    );
    expect(await harness.state(UID, "main")).toBe("PodInitializing");
    expect(harness.runtime.starts).toEqual([`${UID}/set-up/0`]);
  });
});
