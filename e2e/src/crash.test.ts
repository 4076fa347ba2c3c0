import { existsSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { NODE_CHECKPOINTS } from "@interlink/node";
import { CHECKPOINTS as PLUGIN_CHECKPOINTS } from "@interlink/plugin-sdk";
import { SERVER_CHECKPOINTS } from "@interlink/server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { podManifest } from "./harness/manifest.ts";
import { type Part, System } from "./harness/system.ts";
import { describeClusters } from "./systems/describe-system.ts";
import { waitUntil } from "./systems/wait-until.ts";

const steps: { part: Part; step: string }[] = [
  ...NODE_CHECKPOINTS.map((step) => ({ part: "node" as const, step })),
  ...SERVER_CHECKPOINTS.map((step) => ({ part: "server" as const, step })),
  ...PLUGIN_CHECKPOINTS.map((step) => ({ part: "plugin" as const, step })),
];
const createSteps = steps.filter(({ step }) => !step.includes("delete"));
const deleteSteps = steps.filter(({ step }) => step.includes("delete"));

describeClusters("kill -9 at any step", (target) => {
  // Only the node talks to Kubernetes: which one it is makes no difference to where the other two may die.
  const concerned = ({ part }: { part: Part }) => target.kind === "embedded" || part === "node";

  let system: System;
  let notes: string;

  beforeAll(async () => {
    system = await System.start({ plugin: { name: "process" }, target });
    notes = join(system.directory, "notes");
    await mkdir(notes);
  });
  afterAll(async () => {
    await system?.[Symbol.asyncDispose]();
  });

  /** A pod that notes each of its runs, with its process id, in a file of its own. (Kubernetes makes `$` of `$$`.) */
  function manifest(name: string, command: string): string {
    return podManifest(name, {
      command: `echo $$$$ >> ${join(notes, name)}; echo said; ${command}`,
    });
  }

  async function runs(name: string): Promise<number[]> {
    if (!existsSync(join(notes, name))) return [];
    return (await readFile(join(notes, name), "utf8")).trim().split("\n").map(Number);
  }

  async function crashAt(part: Part, step: string): Promise<void> {
    await system.kill9(part);
    await system.launch(part, { INTERLINK_CRASH_AT: step });
    if (part === "node") return;
    // The site must answer again before the test goes on, or another part's retry would be what is tested.
    await system.part(part).output(/"msg":"ready"/);
  }

  async function crashedAndBack(part: Part): Promise<void> {
    const { signal } = await system.part(part).ended;
    expect(signal).toBe("SIGKILL");
    await system.launch(part);
  }

  describe("while a pod is created: it runs once, ends well, and its log is there", () => {
    test.each(createSteps.filter(concerned))("the $part dies at $step", async ({ part, step }) => {
      const name = `create-${step.replaceAll(/[^a-z0-9]+/g, "-")}`;
      await crashAt(part, step);
      await system.kubectl.run(["apply", "-f", "-"], { input: manifest(name, "exit 0") });
      await crashedAndBack(part);
      await system.podInPhase(name, "Succeeded");
      expect(await runs(name)).toHaveLength(1);
      expect(await system.kubectl.run(["logs", name])).toBe("said\n");
      await system.kubectl.run(["delete", "pod", name, "--timeout=60s"]);
    });
  });

  describe("while a pod is deleted: its process ends, and the pod is gone for good", () => {
    test.each(deleteSteps.filter(concerned))("the $part dies at $step", async ({ part, step }) => {
      const name = `delete-${step.replaceAll(/[^a-z0-9]+/g, "-")}`;
      await system.kubectl.run(["apply", "-f", "-"], {
        input: manifest(name, "exec sleep 1000"),
      });
      await system.podInPhase(name, "Running");
      await crashAt(part, step);
      await system.kubectl.run(["delete", "pod", name, "--wait=false"]);
      await crashedAndBack(part);
      await waitUntil(`pod ${name} is gone`, async () => (await system.pod(name)) === undefined);
      const started = await runs(name);
      expect(started).toHaveLength(1);
      expect(started.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([]);
    });
  });

  test("all three die at once under running pods: the pods do not notice", async () => {
    const names = Array.from({ length: 5 }, (_, index) => `survivor-${index}`);
    const until = join(notes, "go");
    const command = `until [ -e ${until} ]; do sleep 0.1; done; exit 0`;
    for (const name of names) {
      await system.kubectl.run(["apply", "-f", "-"], { input: manifest(name, command) });
    }
    for (const name of names) await system.podInPhase(name, "Running");
    await Promise.all((["node", "server", "plugin"] as const).map((part) => system.kill9(part)));
    await mkdir(until);
    for (const part of ["plugin", "server", "node"] as const) await system.launch(part);
    for (const name of names) {
      await system.podInPhase(name, "Succeeded");
      expect(await runs(name)).toHaveLength(1);
      expect(await system.kubectl.run(["logs", name])).toBe("said\n");
    }
  });

  test("the Kubernetes API crashes and comes back: pods run on, and what happened meanwhile is told", async () => {
    const ending = join(notes, "outage-end");
    const command = `until [ -e ${ending} ]; do sleep 0.1; done; exit 3`;
    await system.kubectl.run(["apply", "-f", "-"], { input: manifest("outage", command) });
    await system.podInPhase("outage", "Running");
    await system.cluster.pause();
    await mkdir(ending);
    const [pid = 0] = await runs("outage");
    await waitUntil("the pod's process has ended", () => !existsSync(`/proc/${pid}`));
    await system.cluster.resume();
    const pod = await system.podInPhase("outage", "Failed");
    expect(pod.status?.containerStatuses?.[0]?.state?.terminated?.exitCode).toBe(3);
    expect(await runs("outage")).toHaveLength(1);
    await system.kubectl.run(["apply", "-f", "-"], { input: manifest("after-outage", "exit 0") });
    await system.podInPhase("after-outage", "Succeeded");
  });

  test.each(["server", "plugin"] as const)(
    "the %s is away: nothing fails, and what happened meanwhile is told afterwards",
    async (part) => {
      const [before, during] = [`before-${part}`, `during-${part}`];
      const ending = join(notes, `end-${part}`);
      const command = `until [ -e ${ending} ]; do sleep 0.1; done; exit 7`;
      await system.kubectl.run(["apply", "-f", "-"], { input: manifest(before, command) });
      await system.podInPhase(before, "Running");
      await system.kill9(part);
      await system.kubectl.run(["apply", "-f", "-"], { input: manifest(during, "exit 0") });
      await mkdir(ending);
      await waitUntil("the node says that its site does not answer", async () => {
        const node = await system.node();
        return node.status?.conditions?.some(
          ({ type, status }) => type === "InterlinkConnectivity" && status === "False",
        );
      });
      expect((await system.pod(before))?.status?.phase).toBe("Running");
      expect((await system.pod(during))?.status?.phase).toBe("Pending");
      await system.launch(part);
      const ended = await system.podInPhase(before, "Failed");
      expect(ended.status?.containerStatuses?.[0]?.state?.terminated?.exitCode).toBe(7);
      await system.podInPhase(during, "Succeeded");
      expect(await runs(during)).toHaveLength(1);
    },
  );
});
