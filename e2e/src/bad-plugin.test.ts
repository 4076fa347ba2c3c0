import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Event, Pod } from "kubernetes-types/core/v1.js";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { podManifest } from "./harness/manifest.ts";
import { type Mood, PlainPlugin } from "./harness/plain-plugin.ts";
import { System } from "./harness/system.ts";
import { describeKubernetes } from "./systems/describe-system.ts";
import { waitUntil } from "./systems/wait-until.ts";

describeKubernetes("a plugin that misbehaves", (target) => {
  let directory: string;
  let plugin: PlainPlugin;
  let system: System;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "interlink-bad-"));
    const socket = join(directory, "plugin.sock");
    plugin = await PlainPlugin.start(socket);
    system = await System.start({ plugin: { name: "given", address: `unix://${socket}` }, target });
  });
  beforeEach(() => {
    plugin.mood = "well";
    plugin.slowness = { create: 0, status: 0 };
  });
  afterAll(async () => {
    await system?.[Symbol.asyncDispose]();
    await plugin?.[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  async function apply(name: string): Promise<string> {
    await system.kubectl.run(["apply", "-f", "-"], { input: podManifest(name) });
    return (await system.pod(name))?.metadata?.uid ?? "";
  }

  /** What says that the node has asked so often since now. */
  async function afterQuestions(count: number): Promise<void> {
    const asked = plugin.questions;
    await waitUntil("the plugin was asked", () => plugin.questions >= asked + count, 60_000);
  }

  test.each<[Mood, string]>([
    ["garbage", "what is not JSON"],
    ["nonsense", "another thing than statuses"],
    ["broken", "an error"],
    ["cut", "half an answer"],
  ])("%s: %s says nothing about the pods", async (mood) => {
    const name = `told-${mood}`;
    await apply(name);
    const before = await system.podInPhase(name, "Running");
    plugin.mood = mood;
    await afterQuestions(3);
    const during = await system.pod(name);
    expect(during?.status).toEqual(before.status);
    plugin.mood = "well";
    await system.kubectl.run(["delete", "pod", name, "--timeout=60s"]);
    expect(plugin.pods.size).toBe(0);
  });

  test("a slow one gets each pod once, and a pod that is deleted meanwhile does not stay there", async () => {
    plugin.slowness = { create: 3000, status: 2000 };
    const [stays, goes] = [await apply("slow-stays"), await apply("slow-goes")];
    await waitUntil("both were asked for", () => plugin.creates.includes(goes));
    await system.kubectl.run(["delete", "pod", "slow-goes", "--wait=false"]);
    await system.podInPhase("slow-stays", "Running");
    await waitUntil("the other is gone", async () => (await system.pod("slow-goes")) === undefined);
    expect([...plugin.pods.keys()]).toEqual([stays]);
    expect(plugin.creates.filter((uid) => uid === stays)).toHaveLength(1);
    plugin.slowness = { create: 0, status: 0 };
    await system.kubectl.run(["delete", "pod", "slow-stays", "--timeout=60s"]);
  });

  test("one that forgets a job: the pod fails once, with a reason, and is not run again", async () => {
    const uid = await apply("forgotten");
    await system.podInPhase("forgotten", "Running");
    plugin.mood = "forgetful";
    const pod = await waitUntil(
      "the pod has failed",
      async () => {
        const now = await system.pod("forgotten");
        return now?.status?.phase === "Failed" ? now : undefined;
      },
      90_000,
    );
    expect(pod.status?.reason).toBe("JobLost");
    const [status] = pod.status?.containerStatuses ?? [];
    expect(status?.state?.terminated).toMatchObject({
      reason: "ContainerStatusUnknown",
      exitCode: 137,
    });
    expect(ready(pod)).toBe("False");
    plugin.mood = "well";
    expect(plugin.creates.filter((one) => one === uid)).toHaveLength(1);
    const { items } = await system.kubectl.json<{ items: Event[] }>([
      "get",
      "events",
      `--field-selector=involvedObject.uid=${uid},reason=JobLost`,
    ]);
    expect(items.map(({ count }) => count)).toEqual([1]);
    await system.kubectl.run(["delete", "pod", "forgotten", "--timeout=60s"]);
  });

  function ready({ status }: Pod): string | undefined {
    return status?.conditions?.find(({ type }) => type === "Ready")?.status;
  }
});
