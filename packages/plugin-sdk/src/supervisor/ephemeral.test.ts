import type { RetrievedPodData } from "@interlink/protocol";
import type { EphemeralContainer, PodSpec } from "kubernetes-types/core/v1.js";
import { expect, test } from "vitest";
import { defined } from "../testing/defined.ts";
import { logRequest } from "../testing/log-request.ts";
import { podData } from "../testing/pod-data.ts";
import { ProviderHarness } from "../testing/provider-harness.ts";

const UID = "0f3a5b1e-1111-4222-8333-444455556666";
const DEBUG: EphemeralContainer = { name: "debug", image: "tools", stdin: true, tty: true };

function pod(
  ephemeralContainers: EphemeralContainer[],
  spec: Partial<PodSpec> = {},
): RetrievedPodData {
  return podData(UID, { ...spec, ...(ephemeralContainers.length > 0 && { ephemeralContainers }) });
}

/** A pod that runs and then gets these. */
async function debugged(
  ephemeralContainers: EphemeralContainer[],
  spec: Partial<PodSpec> = {},
): Promise<ProviderHarness> {
  const harness = await ProviderHarness.start();
  await harness.provider.create(pod([], spec), harness.signal);
  await harness.until("main runs", async () => (await harness.state(UID, "main")) === "running");
  await harness.provider.update?.(pod(ephemeralContainers, spec), harness.signal);
  return harness;
}

const statuses = async (harness: ProviderHarness) =>
  defined((await harness.status(UID))?.extension).ephemeralContainers;
const isRunning = (harness: ProviderHarness) => async () =>
  (await harness.state(UID, "debug")) === "running";
const specOf = (harness: ProviderHarness) =>
  defined([...harness.runtime.containers.values()].find((one) => one.containerName === "debug"))
    .spec;

test("an ephemeral container that an update brings is started, told apart from the others, and has events", async () => {
  await using harness = await debugged([DEBUG]);
  await harness.until("it runs", isRunning(harness));
  expect(await statuses(harness)).toEqual([
    {
      name: "debug",
      state: { running: { startedAt: expect.any(String) } },
      lastState: {},
      ready: false,
      restartCount: 0,
      image: "tools",
      imageID: "sha256:tools",
      containerID: "fake://debug-0",
    },
  ]);
  const status = defined(await harness.status(UID));
  expect(status.containers.map(({ name }) => name)).toEqual(["main"]);
  expect(specOf(harness)).toMatchObject({ kind: "ephemeral", container: DEBUG });
  expect(
    harness.events.filter(({ container }) => container === "debug").map(({ reason }) => reason),
  ).toEqual(["Pulled", "Created", "Started"]);
  expect(harness.runtime.starts).toEqual([`${UID}/main/0`, `${UID}/debug/0`]);
});

test("a pod without any says nothing of them", async () => {
  await using harness = await debugged([]);
  expect(await statuses(harness)).toBeUndefined();
});

test("one that has ended stays ended, and the pod goes on, also after a restart of the plugin", async () => {
  await using harness = await debugged([DEBUG]);
  await harness.until("it runs", isRunning(harness));
  await harness.restart();
  expect(await harness.state(UID, "debug")).toBe("running");
  harness.runtime.exit("debug", 3);
  await harness.until("it has ended", async () => (await harness.state(UID, "debug")) === "Error");
  await harness.restart();
  await harness.provider.update?.(pod([DEBUG]), harness.signal);
  harness.clock.advance(600_000);
  expect(await harness.state(UID, "debug")).toBe("Error");
  expect(await harness.state(UID, "main")).toBe("running");
  expect((await statuses(harness))?.[0]?.restartCount).toBe(0);
  const log = harness.provider.logs(logRequest(UID, {}, "debug"), harness.signal);
  for await (const piece of log) expect(piece).toBeDefined();
});

test("one that looks at a container gets its newest attempt", async () => {
  await using harness = await debugged([{ ...DEBUG, targetContainerName: "main" }]);
  await harness.until("it runs", isRunning(harness));
  expect(specOf(harness).target).toEqual({
    uid: UID,
    containerName: "main",
    attempt: 0,
    id: "main-0",
  });
});

test("one that looks at a container which has not begun says so, and starts with it", async () => {
  await using harness = await ProviderHarness.start();
  const spec: Partial<PodSpec> = { initContainers: [{ name: "set-up", image: "busybox" }] };
  const debug = { ...DEBUG, targetContainerName: "main" };
  await harness.provider.create(pod([debug], spec), harness.signal);
  await harness.until(
    "it waits",
    async () => (await harness.state(UID, "debug")) === "CreateContainerConfigError",
  );
  expect((await statuses(harness))?.[0]?.state?.waiting?.message).toBe(
    "unable to find target container main",
  );
  await harness.until(
    "set-up runs",
    async () => (await harness.state(UID, "set-up")) === "running",
  );
  harness.runtime.exit("set-up", 0);
  await harness.until("it runs", isRunning(harness));
});

test("one may mount a volume of the pod that nobody has mounted so far", async () => {
  const volumes = [{ name: "work", emptyDir: {} }];
  const volumeMounts = [{ name: "work", mountPath: "/work" }];
  await using harness = await debugged([{ ...DEBUG, volumeMounts }], { volumes });
  await harness.until("it runs", isRunning(harness));
  expect(specOf(harness).mounts).toEqual([
    { hostPath: expect.stringMatching(/work$/), mountPath: "/work", readOnly: false },
  ]);
});

test.each([
  ["has the name of another container", { ...DEBUG, name: "main" }],
  ["has a name that is none", { ...DEBUG, name: "../debug" }],
])("one that %s is refused, and the pod stays as it was", async (_title, ephemeral) => {
  await using harness = await debugged([]);
  await expect(harness.provider.update?.(pod([ephemeral]), harness.signal)).rejects.toMatchObject({
    code: "invalid",
  });
  expect(await statuses(harness)).toBeUndefined();
  expect(await harness.state(UID, "main")).toBe("running");
});
