import type { LogOptions } from "@interlink/protocol";
import { describe, expect, test } from "vitest";
import { ImageError, RuntimeError } from "../runtime/runtime-error.ts";
import { logRequest } from "../testing/log-request.ts";
import { podData } from "../testing/pod-data.ts";
import { ProviderHarness } from "../testing/provider-harness.ts";

const UID = "0f3a5b1e-1111-4222-8333-444455556666";

describe("a pod of one container", () => {
  test("is created, runs and succeeds, and tells so with a kubelet's events", async () => {
    await using harness = await ProviderHarness.start();
    const answer = await harness.provider.create(
      podData(UID, { restartPolicy: "Never" }),
      harness.signal,
    );
    expect(answer).toEqual({ PodUID: UID, PodJID: `fake-${UID}` });
    await harness.until("it runs", async () => (await harness.state(UID, "main")) === "running");
    harness.runtime.exit("main", 0);
    await harness.until(
      "it is over",
      async () => (await harness.state(UID, "main")) === "Completed",
    );
    expect(harness.reasons()).toEqual(["Pulled", "Created", "Started"]);
    expect(harness.events.map(({ message }) => message)).toEqual([
      'Container image "busybox" already present on machine',
      "Created container: main",
      "Started container main",
    ]);
    const status = await harness.status(UID);
    expect(status?.containers[0]).toMatchObject({
      name: "main",
      ready: false,
      started: false,
      restartCount: 0,
      image: "busybox",
      imageID: "sha256:busybox",
      containerID: "fake://main-0",
      lastState: {},
    });
    expect(status?.extension?.podIPs).toEqual(["10.0.0.7"]);
  });

  test("is answered with the same job when it is created again", async () => {
    await using harness = await ProviderHarness.start();
    const pod = podData(UID);
    const [first, second] = await Promise.all([
      harness.provider.create(pod, harness.signal),
      harness.provider.create(pod, harness.signal),
    ]);
    expect(second).toEqual(first);
    await harness.until("it runs", async () => (await harness.state(UID, "main")) === "running");
    expect(await harness.provider.create(pod, harness.signal)).toEqual(first);
    expect(harness.runtime.starts).toEqual([`${UID}/main/0`]);
  });

  test("is stopped, removed and refused from then on when it is deleted", async () => {
    await using harness = await ProviderHarness.start();
    const data = podData(UID);
    await harness.provider.create(data, harness.signal);
    await harness.until("it runs", async () => (await harness.state(UID, "main")) === "running");
    await harness.provider.delete(data.pod, harness.signal);
    await harness.until("it is gone", () => harness.gone.includes(UID));
    expect(harness.runtime.calls).toContain("stopContainer main 0 30s");
    expect(harness.runtime.containers.size).toBe(0);
    expect(harness.statuses.at(-1)?.containers[0]?.state?.terminated?.exitCode).toBe(143);
    expect(harness.statuses.at(-1)?.extension?.deleting).toBe(true);
    expect(await harness.status(UID)).toBeUndefined();
    const told = await harness.provider.status([data.pod], harness.signal);
    expect(told[0]?.containers[0]?.state?.terminated?.exitCode).toBe(143);
    expect(told[0]?.extension).toMatchObject({ deleting: true, gone: true });
    expect(harness.provider.finalStatuses?.()).toEqual(told);
    await expect(harness.provider.create(data, harness.signal)).rejects.toMatchObject({
      code: "conflict",
    });
  });

  test("is refused when its delete came first", async () => {
    await using harness = await ProviderHarness.start();
    const data = podData(UID);
    await harness.provider.delete(data.pod, harness.signal);
    await expect(harness.provider.create(data, harness.signal)).rejects.toMatchObject({
      code: "conflict",
    });
    expect(harness.runtime.calls).toEqual([]);
  });

  test("goes when it is deleted while its create is still being written down", async () => {
    await using harness = await ProviderHarness.start();
    const data = podData(UID);
    const creating = harness.provider.create(data, harness.signal);
    // Far enough for the create to be writing, not for it to be done.
    await new Promise((resolve) => setImmediate(resolve));
    const deleting = harness.provider.delete(data.pod, harness.signal);
    await Promise.all([creating, deleting]);
    await harness.until("it is gone", () => harness.gone.includes(UID));
    expect(harness.runtime.containers.size).toBe(0);
  });

  test("is taken over by the next life of the plugin", async () => {
    await using harness = await ProviderHarness.start();
    await harness.provider.create(podData(UID, { restartPolicy: "Never" }), harness.signal);
    await harness.until("it runs", async () => (await harness.state(UID, "main")) === "running");
    await harness.restart();
    expect(await harness.state(UID, "main")).toBe("running");
    harness.runtime.exit("main", 3);
    await harness.until("it is over", async () => (await harness.state(UID, "main")) === "Error");
    expect(harness.runtime.starts).toEqual([`${UID}/main/0`]);
  });

  test("restarts at once, then after back-off, keeping only the attempt before", async () => {
    await using harness = await ProviderHarness.start();
    harness.runtime.behaviours.set("main", { exitCode: 1 });
    await harness.provider.create(podData(UID), harness.signal);
    await harness.until(
      "it backs off",
      async () => (await harness.state(UID, "main")) === "CrashLoopBackOff",
    );
    expect(harness.runtime.starts).toHaveLength(2);
    const status = await harness.status(UID);
    expect(status?.containers[0]?.state?.waiting?.message).toBe(
      `back-off 10s restarting failed container=main pod=pod-0f3a5b1e_default(${UID})`,
    );
    expect(status?.containers[0]?.lastState?.terminated?.exitCode).toBe(1);
    expect(status?.containers[0]?.restartCount).toBe(1);
    harness.clock.advance(10_000);
    await harness.until("it runs again", () => harness.runtime.starts.length === 3);
    await harness.until("the oldest is removed", () => harness.runtime.containers.size === 2);
    expect([...harness.runtime.containers.keys()]).toEqual([`${UID}/main/1`, `${UID}/main/2`]);
    expect(harness.reasons().filter((reason) => reason === "BackOff").length).toBeGreaterThan(0);
  });
});

describe("the log of a container that waits to start", () => {
  test("is empty, for nodes that ask before they know that there is one", async () => {
    await using harness = await ProviderHarness.start();
    harness.runtime.failNext("ensureImage", new ImageError("ErrImagePull", "manifest unknown"));
    await harness.provider.create(podData(UID), harness.signal);
    await harness.until("it waits", async () => {
      return (await harness.state(UID, "main")) === "ErrImagePull";
    });
    const read = async (options: Partial<LogOptions>): Promise<number> => {
      let bytes = 0;
      const log = harness.provider.logs(logRequest(UID, options), harness.signal);
      for await (const piece of log) bytes += piece.length;
      return bytes;
    };
    expect(await read({})).toBe(0);
    await expect(read({ Previous: true })).rejects.toMatchObject({ code: "invalid" });
  });
});

describe("when the engine has trouble", () => {
  test("an image that cannot be pulled shows the engine's words, then backs off", async () => {
    await using harness = await ProviderHarness.start();
    harness.runtime.failNext("ensureImage", new ImageError("ErrImagePull", "manifest unknown"));
    await harness.provider.create(podData(UID), harness.signal);
    await harness.until(
      "it fails",
      async () => (await harness.state(UID, "main")) === "ErrImagePull",
    );
    expect(harness.events.map(({ message }) => message)).toEqual([
      'Failed to pull image "busybox": manifest unknown',
      "Error: ErrImagePull",
    ]);
    harness.clock.advance(2_000);
    await harness.until(
      "it backs off",
      async () => (await harness.state(UID, "main")) === "ImagePullBackOff",
    );
    const status = await harness.status(UID);
    expect(status?.containers[0]?.state?.waiting?.message).toBe(
      'Back-off pulling image "busybox": ErrImagePull: manifest unknown',
    );
    harness.clock.advance(10_000);
    await harness.until("it runs", async () => (await harness.state(UID, "main")) === "running");
  });

  test("a container that cannot be made waits with the reason and is tried again", async () => {
    await using harness = await ProviderHarness.start();
    harness.runtime.failNext("createContainer", new RuntimeError("CreateFailed", "no space left"));
    await harness.provider.create(podData(UID), harness.signal);
    await harness.until(
      "it waits",
      async () => (await harness.state(UID, "main")) === "CreateContainerError",
    );
    expect(harness.events.at(-1)?.message).toBe("Error: no space left");
    harness.clock.advance(15_000);
    await harness.until("it runs", async () => (await harness.state(UID, "main")) === "running");
  });

  test("a container that cannot be started has ended with 128 and fails its pod", async () => {
    await using harness = await ProviderHarness.start();
    harness.runtime.failNext("startContainer", new RuntimeError("StartFailed", "no such file"));
    await harness.provider.create(podData(UID, { restartPolicy: "Never" }), harness.signal);
    await harness.until(
      "it is over",
      async () => (await harness.state(UID, "main")) === "StartError",
    );
    const status = await harness.status(UID);
    expect(status?.containers[0]?.state?.terminated).toMatchObject({
      exitCode: 128,
      message: "no such file",
    });
    expect(harness.runtime.starts).toEqual([]);
  });

  test("an engine that does not answer at start leaves everything as it was known", async () => {
    await using harness = await ProviderHarness.start();
    await harness.provider.create(podData(UID), harness.signal);
    await harness.until("it runs", async () => (await harness.state(UID, "main")) === "running");
    harness.runtime.failNext("list", new Error("connection refused"));
    await harness.restart();
    expect(await harness.state(UID, "main")).toBe("running");
    expect(harness.runtime.starts).toHaveLength(1);
    harness.runtime.exit("main", 0);
    await harness.until("the end is seen", () => {
      harness.clock.advance(100);
      return harness.runtime.starts.length > 1;
    });
  });

  test("a container that vanished has ended with 137 and an unknown status", async () => {
    await using harness = await ProviderHarness.start({ listIntervalMs: 50 });
    await harness.provider.create(podData(UID, { restartPolicy: "Never" }), harness.signal);
    await harness.until("it runs", async () => (await harness.state(UID, "main")) === "running");
    harness.runtime.vanish("main");
    await harness.until(
      "it is missed",
      async () => (await harness.state(UID, "main")) === "ContainerStatusUnknown",
    );
  });

  test("containers without a job are removed", async () => {
    await using harness = await ProviderHarness.start();
    const spec = { pod: podData("stray").pod, attempt: 0, container: { name: "old" } };
    await harness.runtime.createContainer(spec as never);
    await harness.restart();
    await harness.until("it is removed", () => harness.runtime.containers.size === 0);
  });

  test("a pod is not made while what was left of it without a job is being removed", async () => {
    await using harness = await ProviderHarness.start();
    const data = podData(UID);
    const { runtime } = harness;
    const spec = { pod: data.pod, attempt: 0, container: { name: "main" } };
    await runtime.createContainer(spec as never);
    const removeSandbox = runtime.removeSandbox.bind(runtime);
    let letGo = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    runtime.removeSandbox = (uid) => held.then(() => removeSandbox(uid));
    await harness.restart();
    const created = harness.provider.create(data, harness.signal);
    // One that was asked for later is made meanwhile.
    await harness.provider.create(podData("later"), harness.signal);
    await harness.until("the later one runs", () => runtime.sandboxes.has("later"));
    expect(await harness.status(UID)).toBeUndefined();
    expect(runtime.sandboxes.has(UID)).toBe(false);
    letGo();
    await created;
    await harness.until("it runs", async () => (await harness.state(UID, "main")) === "running");
  });
});
