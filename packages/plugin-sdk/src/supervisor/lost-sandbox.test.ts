import type { Container } from "kubernetes-types/core/v1.js";
import { expect, test } from "vitest";
import { podData } from "../testing/pod-data.ts";
import { ProviderHarness } from "../testing/provider-harness.ts";

const UID = "0f3a5b1e-1111-4222-8333-444455556666";
const setUp: Container = { name: "set-up", image: "app" };
const main: Container = { name: "main", image: "app" };

/** A pod whose init container is through, and whose container has crashed under a plugin that is started anew. */
async function crashed(instances: readonly [string | undefined, string | undefined]) {
  const harness = await ProviderHarness.start();
  harness.runtime.instance = instances[0];
  const data = podData(UID, { initContainers: [setUp], containers: [main] });
  await harness.provider.create(data, harness.signal);
  await harness.until("the init container runs", () => harness.runtime.starts.length === 1);
  harness.runtime.exit("set-up", 0);
  await harness.until("it runs", async () => (await harness.state(UID, "main")) === "running");
  await harness.provider.close?.();
  harness.runtime.instance = instances[1];
  harness.runtime.exit("main", 137);
  await harness.open();
  return harness;
}

test("a pod whose sandbox was lost begins anew with its init containers, and its restart counts go on", async () => {
  await using harness = await crashed(["one", "two"]);
  await harness.until("the init container runs again", () =>
    harness.runtime.starts.includes(`${UID}/set-up/1`),
  );
  expect(harness.runtime.starts).not.toContain(`${UID}/main/1`);
  harness.runtime.exit("set-up", 0);
  await harness.until("it runs again", () => {
    harness.clock.advance(20_000);
    return harness.runtime.starts.includes(`${UID}/main/1`);
  });
  expect(harness.events.filter(({ reason }) => reason === "SandboxChanged")).toEqual([
    expect.objectContaining({
      type: "Normal",
      message: "Pod sandbox changed, it will be killed and re-created.",
    }),
  ]);
  const status = await harness.status(UID);
  expect([status?.initContainers[0]?.restartCount, status?.containers[0]?.restartCount]).toEqual([
    1, 1,
  ]);
});

test.each([
  ["is the same one", ["one", "one"]],
  ["says nothing of itself", [undefined, undefined]],
  ["said nothing of itself before", [undefined, "one"]],
] as const)("a pod whose sandbox %s goes on where it was", async (_, instances) => {
  await using harness = await crashed(instances);
  await harness.until("it runs again", () => {
    harness.clock.advance(20_000);
    return harness.runtime.starts.includes(`${UID}/main/1`);
  });
  expect(harness.runtime.starts).not.toContain(`${UID}/set-up/1`);
});

test("a pod whose containers ended with their sandbox begins anew with its init containers", async () => {
  await using harness = await ProviderHarness.start();
  const data = podData(UID, { initContainers: [setUp], containers: [main] });
  harness.runtime.behaviours.set("set-up", { exitCode: 0 });
  await harness.provider.create(data, harness.signal);
  await harness.until("it runs", async () => (await harness.state(UID, "main")) === "running");
  harness.runtime.sandboxes.delete(UID);
  harness.runtime.exit("main", 137);
  await harness.until("it runs again", () => {
    harness.clock.advance(20_000);
    return harness.runtime.starts.includes(`${UID}/main/1`);
  });
  expect(harness.runtime.starts).toEqual(
    ["set-up/0", "main/0", "set-up/1", "main/1"].map((one) => `${UID}/${one}`),
  );
  expect(harness.events.filter(({ reason }) => reason === "SandboxChanged")).toHaveLength(1);
});

test.each(["Never", "OnFailure"] as const)(
  "a pod that is over stays so with restartPolicy %s, though its sandbox is gone",
  async (restartPolicy) => {
    await using harness = await ProviderHarness.start();
    const data = podData(UID, { restartPolicy, initContainers: [setUp], containers: [main] });
    harness.runtime.behaviours.set("set-up", { exitCode: 0 });
    harness.runtime.behaviours.set("main", { exitCode: 0 });
    await harness.provider.create(data, harness.signal);
    await harness.until(
      "it is over",
      async () => (await harness.state(UID, "main")) === "Completed",
    );
    harness.runtime.loseSandbox(UID);
    await harness.provider.close?.();
    await harness.open();
    harness.runtime.loseSandbox(UID);
    await harness.until("it was looked at again", async () => {
      harness.clock.advance(20_000);
      return (await harness.state(UID, "main")) === "Completed";
    });
    expect(harness.runtime.starts).toEqual([`${UID}/set-up/0`, `${UID}/main/0`]);
    expect(harness.events.filter(({ reason }) => reason === "SandboxChanged")).toEqual([]);
  },
);

test.each([
  ["Always", 1],
  ["Never", 0],
] as const)(
  "what runs without its sandbox is stopped; with restartPolicy %s it starts %d times more",
  async (restartPolicy, more) => {
    await using harness = await ProviderHarness.start();
    const data = podData(UID, { restartPolicy, initContainers: [setUp], containers: [main] });
    harness.runtime.behaviours.set("set-up", { exitCode: 0 });
    await harness.provider.create(data, harness.signal);
    await harness.until("it runs", async () => (await harness.state(UID, "main")) === "running");
    harness.runtime.loseSandbox(UID);
    await harness.until("it was stopped", () => {
      harness.clock.advance(1_000);
      return harness.runtime.calls.some((call) => call.startsWith("stopContainer main 0"));
    });
    await harness.until("the pod is where it should be", async () => {
      harness.clock.advance(20_000);
      const state = await harness.state(UID, "main");
      const { starts } = harness.runtime;
      return more === 0 ? state === "Error" : starts.includes(`${UID}/main/1`);
    });
    expect(harness.runtime.starts).toEqual(
      ["set-up/0", "main/0", ...(more === 0 ? [] : ["set-up/1", "main/1"])].map(
        (one) => `${UID}/${one}`,
      ),
    );
    expect(harness.events.filter(({ reason }) => reason === "SandboxChanged")).toHaveLength(1);
  },
);
