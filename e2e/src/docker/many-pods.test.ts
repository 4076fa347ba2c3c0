import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { describeEngines } from "../systems/describe-system.ts";
import { BUSYBOX } from "../systems/images.ts";
import { waitUntil } from "../systems/wait-until.ts";
import { ProviderFixture } from "./provider-fixture.ts";

/** Podman starts a program for each step of each container: fewer show the same there. */
const PODS = { docker: 200, podman: 60 };
const MINUTES = 60_000;

describeEngines("many pods on a real engine", (engine) => {
  const count = PODS[engine.kind];

  it(
    `runs ${count} that are created at once, each once, and deletes them all`,
    async () => {
      await using fixture = await ProviderFixture.open(engine.host, { pods: count });
      const pods = Array.from({ length: count }, () =>
        fixture.data({
          // Hundreds of addresses are not what is tested.
          terminationGracePeriodSeconds: 5,
          containers: [
            {
              name: "main",
              image: BUSYBOX,
              imagePullPolicy: "IfNotPresent",
              command: [
                "sh",
                "-c",
                "trap 'exit 0' TERM; echo run >> /host/$POD; while true; do sleep 1; done",
              ],
              env: [{ name: "POD", valueFrom: { fieldRef: { fieldPath: "metadata.uid" } } }],
              volumeMounts: [{ name: "host", mountPath: "/host" }],
            },
          ],
          volumes: [{ name: "host", hostPath: { path: fixture.folder } }],
        }),
      );
      await Promise.all(pods.map((data) => fixture.provider.create(data, fixture.signal)));
      const statuses = await waitUntil(
        "all run",
        async () => {
          const all = await fixture.provider.status("all", fixture.signal);
          const running = all.filter(
            ({ containers: [main] }) => main?.state?.running !== undefined,
          );
          return running.length === count && all;
        },
        3 * MINUTES,
      );
      expect(statuses.every(({ containers: [main] }) => main?.restartCount === 0)).toBe(true);
      const addresses = statuses.flatMap(({ extension }) => extension?.podIPs ?? []);
      expect(new Set(addresses).size).toBe(count);

      const graces = pods.map(({ pod }) => ({
        ...pod,
        metadata: { ...pod.metadata, deletionGracePeriodSeconds: 5 },
      }));
      await Promise.all(graces.map((pod) => fixture.provider.delete(pod, fixture.signal)));
      await waitUntil("all are gone", () => fixture.gone.length === count, 3 * MINUTES);
      expect(new Set(fixture.gone)).toEqual(new Set(pods.map(({ pod }) => pod.metadata?.uid)));
      const filters = { label: [`interlink.plugin=${fixture.plugin}`] };
      expect(
        await fixture.engine.json({
          method: "GET",
          path: "/containers/json",
          query: { all: true, filters },
          signal: fixture.signal,
        }),
      ).toEqual([]);
      const uids = new Set(pods.map(({ pod }) => pod.metadata?.uid ?? ""));
      const ran = (await readdir(fixture.folder)).filter((name) => uids.has(name));
      const runs = await Promise.all(ran.map((uid) => readFile(join(fixture.folder, uid), "utf8")));
      expect(runs).toEqual(Array.from({ length: count }, () => "run\n"));
    },
    8 * MINUTES,
  );

  it("keeps two plugins on one engine apart, whatever they are given", async () => {
    await using one = await ProviderFixture.open(engine.host);
    await using other = await ProviderFixture.open(engine.host);
    const spec = {
      containers: [
        {
          name: "main",
          image: BUSYBOX,
          imagePullPolicy: "IfNotPresent" as const,
          command: ["sh", "-c", "while true; do usleep 50000; done"],
        },
      ],
    };
    const mine = await one.create(spec);
    const theirs = await other.create(spec);
    await one.running(mine);
    await other.running(theirs);
    const before = await other.container(theirs, "main");

    // What one does not know, it does not touch, even if it is asked to.
    expect(await one.status(theirs)).toBeUndefined();
    await one.provider.delete(theirs.pod, one.signal);
    // Nor does it take the other's for a stray when it starts.
    await one.stop();
    await one.start();
    await one.running(mine);
    await one.remove(mine, 0);
    expect(await other.container(theirs, "main")).toEqual(before);
    expect(await other.inEngine(theirs)).toHaveLength(2);

    // The same pod, given to both by mistake: the names in the engine let only one have it, and the other says why.
    await one.stop();
    const twice = await other.create(spec);
    await other.running(twice);
    await one.start();
    await one.provider.create(twice, one.signal);
    await waitUntil("it says why", () =>
      one.events.some(({ reason, message }) => {
        return reason === "FailedCreatePodSandBox" && message.includes("did not make");
      }),
    );
    await one.remove(twice, 0).catch(() => undefined);
    expect((await other.container(twice, "main"))?.state?.running).toBeDefined();
    expect(await other.inEngine(twice)).toHaveLength(2);
    await other.remove(twice, 0);
    await other.remove(theirs, 0);
  });
});
