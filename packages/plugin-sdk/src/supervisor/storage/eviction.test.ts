import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Container } from "kubernetes-types/core/v1.js";
import { expect, test } from "vitest";
import { defined } from "../../testing/defined.ts";
import { podData } from "../../testing/pod-data.ts";
import { ProviderHarness } from "../../testing/provider-harness.ts";

const UID = "0f3a5b1e-1111-4222-8333-444455556666";
const main: Container = {
  name: "main",
  image: "app",
  volumeMounts: [{ name: "work", mountPath: "/work" }],
};
const data = () =>
  podData(UID, {
    restartPolicy: "Always",
    terminationGracePeriodSeconds: 600,
    volumes: [{ name: "work", emptyDir: { sizeLimit: "1Mi" } }],
    containers: [main],
  });
const message = 'Usage of EmptyDir volume "work" exceeds the limit "1Mi". ';

async function running(): Promise<ProviderHarness> {
  const harness = await ProviderHarness.start();
  await harness.provider.create(data(), harness.signal);
  await harness.until("it runs", async () => (await harness.state(UID, "main")) === "running");
  return harness;
}

async function fill(harness: ProviderHarness, bytes: number): Promise<void> {
  const [container] = harness.runtime.containers.values();
  const { hostPath } = defined(defined(container).spec.mounts[0]);
  await writeFile(join(hostPath, "file"), Buffer.alloc(bytes, 1));
}

const failed = async (harness: ProviderHarness) => (await harness.status(UID))?.extension?.failed;

test("a pod that fills an emptyDir beyond its limit is evicted, and not restarted, also by a new plugin", async () => {
  await using harness = await running();
  await fill(harness, 2 * 1024 * 1024);
  await harness.until("it is evicted", () => {
    harness.clock.advance(10_000);
    return failed(harness);
  });
  expect(await failed(harness)).toEqual({ reason: "Evicted", message });
  expect(harness.events).toContainEqual(
    expect.objectContaining({ type: "Warning", reason: "Evicted", message }),
  );
  expect((await harness.status(UID))?.containers[0]?.state?.terminated).toBeDefined();
  await harness.restart();
  harness.clock.advance(600_000);
  expect(await failed(harness)).toEqual({ reason: "Evicted", message });
  expect(harness.runtime.starts).toHaveLength(1);
});

test("the failure is told only when its containers have ended", async () => {
  await using harness = await running();
  await fill(harness, 2 * 1024 * 1024);
  await harness.until("it is evicted", () => {
    harness.clock.advance(10_000);
    return failed(harness);
  });
  for (const { containers, extension } of harness.statuses) {
    if (extension?.failed) expect(containers[0]?.state?.running).toBeUndefined();
  }
});

test("a pod within its limits is left alone", async () => {
  await using harness = await running();
  await fill(harness, 1000);
  let looks = 0;
  await harness.until("it was measured some times", () => {
    harness.clock.advance(10_000);
    return ++looks > 20;
  });
  expect(await harness.state(UID, "main")).toBe("running");
});

test("a pod whose container writes more into its own layer than it may is evicted", async () => {
  await using harness = await ProviderHarness.start();
  let bytes: number | undefined = 1000;
  const asked = new Set<string>();
  harness.runtime.layerBytes = async ({ uid, containerName, attempt }) => {
    asked.add(`${uid}/${containerName}/${attempt}`);
    return bytes;
  };
  const limited = {
    ...main,
    volumeMounts: [],
    resources: { limits: { "ephemeral-storage": "1k" } },
  };
  await harness.provider.create(podData(UID, { containers: [limited] }), harness.signal);
  await harness.until("it was measured", () => {
    harness.clock.advance(10_000);
    return asked.size > 0;
  });
  expect(await harness.state(UID, "main")).toBe("running");
  bytes = 1001;
  await harness.until("it is evicted", () => {
    harness.clock.advance(10_000);
    return failed(harness);
  });
  expect(await failed(harness)).toEqual({
    reason: "Evicted",
    message: "Pod ephemeral local storage usage exceeds the total limit of containers 1k. ",
  });
  expect([...asked]).toEqual([`${UID}/main/0`]);
});
