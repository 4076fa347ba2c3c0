import { expect, test } from "vitest";
import type { ImageRequest, ImageState } from "../../runtime/container-runtime.ts";
import { RuntimeError } from "../../runtime/runtime-error.ts";
import { defined } from "../../testing/defined.ts";
import { podData } from "../../testing/pod-data.ts";
import { ProviderHarness } from "../../testing/provider-harness.ts";

const UID = "0f3a5b1e-1111-4222-8333-444455556666";

test("a pull that takes long tells how far it is, now and then, and how long all of it took", async () => {
  await using harness = await ProviderHarness.start();
  let request: ImageRequest | undefined;
  let finish: (state: ImageState) => void = () => undefined;
  harness.runtime.ensureImage = async (asked) => {
    request = asked;
    return new Promise((resolve) => {
      finish = resolve;
    });
  };
  await harness.provider.create(podData(UID), harness.signal);
  const { onPull } = defined(await harness.until("it is asked for", () => request));
  const far = (fetched: number): void =>
    onPull?.({ phase: "progress", layers: { fetched, total: 5 }, bytes: fetched * 1e6 });
  const waiting = async () => (await harness.status(UID))?.containers[0]?.state?.waiting;

  onPull?.({ phase: "pulling" });
  far(0);
  harness.clock.advance(9_000);
  far(1);
  expect(await waiting()).toEqual({ reason: "ContainerCreating" });
  harness.clock.advance(1_000);
  far(2);
  const message = 'Pulling image "busybox": 2 of 5 layers fetched, 2.0 MB';
  expect(await waiting()).toEqual({ reason: "ContainerCreating", message });
  await harness.until("the status is told", () =>
    harness.statuses.some(({ containers }) => containers[0]?.state?.waiting?.message === message),
  );
  harness.clock.advance(5_000);
  far(3);
  expect(await waiting()).toMatchObject({ message });

  onPull?.({ phase: "pulled", milliseconds: 15_000, bytes: 5_000_000 });
  finish({ imageID: "sha256:busybox", pulled: true });
  await harness.until("it runs", async () => (await harness.state(UID, "main")) === "running");
  const [pulling, pulled] = harness.events.map((event) => event.message);
  expect(pulling).toBe('Pulling image "busybox"');
  expect(pulled).toMatch(
    /^Successfully pulled image "busybox" in 15s \(15\.\d+s including waiting\)\. Image size: 5000000 bytes\.$/,
  );
});

test("an image that somebody has removed meanwhile is made sure of again", async () => {
  await using harness = await ProviderHarness.start();
  harness.runtime.failNext("createContainer", new RuntimeError("CreateFailed", "No such image"));
  await harness.provider.create(podData(UID), harness.signal);
  await harness.until("it fails", async () => {
    return (await harness.state(UID, "main")) === "CreateContainerError";
  });
  harness.clock.advance(15_000);
  await harness.until("it runs", async () => (await harness.state(UID, "main")) === "running");
  expect(harness.runtime.calls.filter((call) => call.startsWith("ensureImage"))).toHaveLength(2);
});
