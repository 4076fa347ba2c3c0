import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { CONTENT_ANNOTATION, type RetrievedPodData } from "@interlink/protocol";
import { expect, test } from "vitest";
import { ImageError } from "../runtime/runtime-error.ts";
import { defined } from "../testing/defined.ts";
import { podData } from "../testing/pod-data.ts";
import { ProviderHarness } from "../testing/provider-harness.ts";

const UID = "0f3a5b1e-1111-4222-8333-444455556666";

/** A pod with a ConfigMap volume, an env variable and the node's word for both, all of the same value. */
function pod(
  value: string,
  mount: { subPath?: string; subPathExpr?: string } = {},
): RetrievedPodData {
  const data = podData(UID, {
    volumes: [
      { name: "conf", configMap: { name: "cm" } },
      { name: "work", emptyDir: {} },
    ],
    containers: [
      {
        name: "main",
        image: "busybox",
        env: [{ name: "VALUE", value }],
        volumeMounts: [
          { name: "conf", mountPath: "/conf" },
          { name: "work", mountPath: "/work", ...mount },
        ],
      },
    ],
  });
  data.pod.metadata = {
    ...data.pod.metadata,
    annotations: { [CONTENT_ANNOTATION]: `is-${value}` },
  };
  defined(data.container[0]).configMaps = [{ metadata: { name: "cm" }, data: { key: value } }];
  return data;
}

function made(harness: ProviderHarness, attempt = 0) {
  const found = [...harness.runtime.containers.values()].find((one) => one.attempt === attempt);
  return defined(found).spec;
}

const volumeOf = (harness: ProviderHarness) => defined(made(harness).mounts[0]).hostPath;
const runs = (harness: ProviderHarness) => async () =>
  (await harness.state(UID, "main")) === "running";

async function running(): Promise<ProviderHarness> {
  const harness = await ProviderHarness.start();
  await harness.provider.create(pod("old"), harness.signal);
  await harness.until("it runs", runs(harness));
  return harness;
}

test("an update changes the files of a running pod, tells its word back and restarts nothing", async () => {
  await using harness = await running();
  await harness.provider.update?.(pod("new"), harness.signal);
  expect(await readFile(join(volumeOf(harness), "key"), "utf8")).toBe("new");
  await harness.until(
    "the new word is told",
    () => harness.statuses.at(-1)?.extension?.content === "is-new",
  );
  expect(harness.runtime.starts).toEqual([`${UID}/main/0`]);
});

test("the same update twice leaves the files untouched", async () => {
  await using harness = await running();
  await harness.provider.update?.(pod("new"), harness.signal);
  const before = await readdir(volumeOf(harness));
  await harness.provider.update?.(pod("new"), harness.signal);
  expect(await readdir(volumeOf(harness))).toEqual(before);
  expect(before.filter((name) => /^\.\.\d/.test(name))).toHaveLength(1);
});

test("a container that starts after the update gets the new environment, the one that ran kept its own", async () => {
  await using harness = await running();
  await harness.provider.update?.(pod("new"), harness.signal);
  expect(made(harness).env).toContainEqual({ name: "VALUE", value: "old" });
  harness.runtime.exit("main", 1);
  await harness.until("it runs again", () => {
    harness.clock.advance(20_000);
    return harness.runtime.starts.includes(`${UID}/main/1`);
  });
  expect(made(harness, 1).env).toContainEqual({ name: "VALUE", value: "new" });
});

test("a plugin that is started anew does not go back to what was there before the update", async () => {
  await using harness = await running();
  await harness.provider.update?.(pod("new"), harness.signal);
  await harness.restart();
  expect((await harness.status(UID))?.extension?.content).toBe("is-new");
  harness.runtime.exit("main", 1);
  await harness.until("it runs again", () => {
    harness.clock.advance(20_000);
    return harness.runtime.starts.includes(`${UID}/main/1`);
  });
  expect(made(harness, 1).env).toContainEqual({ name: "VALUE", value: "new" });
  expect(await readFile(join(volumeOf(harness), "key"), "utf8")).toBe("new");
});

test("a container whose subPath could not be expanded starts as soon as the update lets it", async () => {
  await using harness = await ProviderHarness.start();
  const mount = { subPathExpr: "$(VALUE)" };
  await harness.provider.create(pod("", mount), harness.signal);
  await harness.until(
    "it waits",
    async () => (await harness.state(UID, "main")) === "CreateContainerConfigError",
  );
  expect(harness.events.at(-1)).toMatchObject({
    reason: "Failed",
    message: "Error: missing value for VALUE",
  });
  await harness.provider.update?.(pod("new", mount), harness.signal);
  await harness.until("it runs", runs(harness));
  expect((await stat(defined(made(harness).mounts[1]).hostPath)).isDirectory()).toBe(true);
});

test("an update of a pod that is not here says so, and one of a pod that is over is nothing", async () => {
  await using harness = await running();
  const other = podData("11111111-1111-4222-8333-444455556666");
  await expect(harness.provider.update?.(other, harness.signal)).rejects.toMatchObject({
    code: "not-found",
  });
  await harness.provider.delete(pod("old").pod, harness.signal);
  await harness.until("it is being deleted", async () => {
    const status = await harness.status(UID);
    return status === undefined || status.extension?.deleting;
  });
  await harness.provider.update?.(pod("new"), harness.signal).catch(() => undefined);
  expect(harness.runtime.starts).toEqual([`${UID}/main/0`]);
});

test("an update that lacks an object of the pod changes nothing at all", async () => {
  await using harness = await running();
  const update = pod("new");
  defined(update.container[0]).configMaps = [];
  await expect(harness.provider.update?.(update, harness.signal)).rejects.toMatchObject({
    code: "rejected",
    message: 'configmap "cm" not found',
  });
  expect(await readFile(join(volumeOf(harness), "key"), "utf8")).toBe("old");
  expect((await harness.status(UID))?.extension?.content).toBe("is-old");
});

test("a changed image restarts its container at once", async () => {
  await using harness = await running();
  const update = pod("old");
  defined(update.pod.spec?.containers[0]).image = "newer";
  await harness.provider.update?.(update, harness.signal);
  await harness.until("it runs again", async () => {
    return harness.runtime.starts.includes(`${UID}/main/1`) && (await runs(harness)());
  });
  expect(made(harness, 1).container.image).toBe("newer");
  expect((await harness.status(UID))?.containers[0]).toMatchObject({
    restartCount: 1,
    image: "newer",
    lastState: { terminated: { exitCode: 143 } },
  });
  expect(harness.events.map(({ message }) => message)).toContain(
    "Container main definition changed, will be restarted",
  );
});

test("a changed image is tried at once, while the one before is backed off from", async () => {
  await using harness = await ProviderHarness.start();
  harness.runtime.failNext("ensureImage", new ImageError("ErrImagePull", "manifest unknown"));
  await harness.provider.create(pod("old"), harness.signal);
  await harness.until(
    "its pull has failed",
    async () => (await harness.state(UID, "main")) === "ErrImagePull",
  );
  const update = pod("old");
  defined(update.pod.spec?.containers[0]).image = "newer";
  await harness.provider.update?.(update, harness.signal);
  await harness.until("it runs", runs(harness));
  expect(made(harness).container.image).toBe("newer");
});

test("a changed image runs at once, while the one before is backed off from for its crashes", async () => {
  await using harness = await ProviderHarness.start();
  await harness.provider.create(pod("old"), harness.signal);
  for (const attempt of [0, 1]) {
    await harness.until("it runs", async () =>
      harness.runtime.starts.includes(`${UID}/main/${attempt}`),
    );
    harness.runtime.exit("main", 1);
  }
  const backedOff = async () => (await harness.state(UID, "main")) === "CrashLoopBackOff";
  await harness.until("it is backed off from", backedOff);
  const update = pod("old");
  defined(update.pod.spec?.containers[0]).image = "newer";
  await harness.provider.update?.(update, harness.signal);
  await harness.until("it runs again", runs(harness));
  harness.runtime.exit("main", 1);
  await harness.until("it is backed off from again", backedOff);
  const [main] = (await harness.status(UID))?.containers ?? [];
  expect(main?.state?.waiting?.message).toMatch(/^back-off 10s /);
});
