import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { CHECKPOINTS } from "@interlink/plugin-sdk";
import { eventually } from "@interlink/plugin-sdk/testing";
import type { RemotePodStatus, RetrievedPodData } from "@interlink/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compiledChild } from "./testing/compiled-child.ts";
import { ProcessHarness, pod, processesOf, shell } from "./testing/process-harness.ts";

const SCRIPTS = fileURLToPath(new URL("../runner/", import.meta.url));
let directory: string;
let script: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "interlink-child-"));
  script = await compiledChild(directory);
}, 60_000);
afterAll(() => rm(directory, { recursive: true, force: true }));

/** A plugin in a process of its own that dies of SIGKILL at the checkpoint. */
class Victim {
  readonly statuses: RemotePodStatus[] = [];
  readonly #child;
  readonly #died: Promise<unknown[]>;
  hasStarted = false;

  constructor(root: string, crashAt: string) {
    this.#child = spawn(process.execPath, [script, root, SCRIPTS, crashAt], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#died = once(this.#child, "exit");
    createInterface({ input: this.#child.stdout }).on("line", (line) => {
      const told = JSON.parse(line) as { status?: RemotePodStatus; started?: boolean };
      if (told.status !== undefined) this.statuses.push(told.status);
      this.hasStarted ||= told.started === true;
    });
    this.#child.stdin.on("error", () => undefined);
  }

  order(order: { create?: RetrievedPodData; delete?: RetrievedPodData }): void {
    this.#child.stdin.write(`${JSON.stringify(order)}\n`);
  }

  async death(): Promise<void> {
    expect(await this.#died).toEqual([null, "SIGKILL"]);
  }
}

describe("a plugin killed with -9", () => {
  const creating = CHECKPOINTS.filter((step) => step.startsWith("create."));
  test.each(creating)("at %s loses no pod and runs none twice", async (step) => {
    await using harness = await ProcessHarness.open();
    const runs = join(harness.root, "runs");
    // Leaves a line for each time that it runs, and ends when it is told.
    const line = `echo run >>${runs}; while ! [ -e ${harness.root}/end ]; do sleep 0.05; done; exit 3`;
    const data = pod(randomUUID(), [shell("main", line)]);
    const victim = new Victim(harness.root, step);
    victim.order({ create: data });
    await victim.death();

    await harness.begin();
    // The caller got no answer, perhaps, and asks again.
    const uid = await harness.run(data);
    await harness.running(uid, "main");
    await eventually("it ran", () => readFile(runs, "utf8").catch(() => undefined));
    await rm(`${harness.root}/end`, { force: true });
    const other = pod(randomUUID(), [shell("main", `: >${harness.root}/end`)]);
    await harness.run(other);
    expect(await harness.ended(uid, "main")).toMatchObject({ exitCode: 3 });
    expect(await readFile(runs, "utf8")).toBe("run\n");
    expect((await harness.container(uid, "main"))?.restartCount).toBe(0);
    await harness.delete(data);
    await harness.isGone(uid);
  });

  const deleting = CHECKPOINTS.filter((step) => step.startsWith("delete."));
  test.each(deleting)("at %s still keeps its promise to delete", async (step) => {
    await using harness = await ProcessHarness.open();
    const line = 'trap "exit 5" TERM; while :; do sleep 0.05; done';
    const data = pod(randomUUID(), [shell("main", line)]);
    const uid = data.pod.metadata!.uid!;
    const victim = new Victim(harness.root, step);
    victim.order({ create: data });
    await eventually("it runs", () => victim.statuses.at(-1)?.containers[0]?.state?.running);
    victim.order({ delete: data });
    await victim.death();

    await harness.begin();
    await eventually("the pod is unknown", async () => {
      const known = await harness.provider.status("all", harness.signal);
      return known.length === 0;
    });
    await expect(harness.run(data)).rejects.toMatchObject({ code: "conflict" });
    const left = await eventually("nothing runs", async () => {
      const found = await processesOf(harness.root);
      return found.length === 0 && found;
    });
    expect(left).toEqual([]);
    const last = harness.statuses.findLast((status) => status.UID === uid);
    if (last !== undefined) {
      expect(last.containers[0]?.state?.terminated).toMatchObject({ exitCode: 5 });
    }
  });

  test("while a container runs finds its end afterwards", async () => {
    await using harness = await ProcessHarness.open();
    const data = pod(randomUUID(), [
      shell("main", `while ! [ -e ${harness.root}/end ]; do sleep 0.05; done; echo over; exit 9`),
    ]);
    const victim = new Victim(harness.root, "create.recorded");
    victim.order({ create: data });
    await victim.death();
    const uid = data.pod.metadata!.uid!;
    // It ends while no plugin is there.
    const { writeFile } = await import("node:fs/promises");
    await writeFile(join(harness.root, "end"), "");
    await eventually("nothing runs", async () => (await processesOf(harness.root)).length === 0);
    await harness.begin();
    expect(await harness.ended(uid, "main")).toMatchObject({ exitCode: 9 });
    expect(await harness.log(uid, "main")).toBe("over\n");
  });

  test("together with the runner of a container tells that the exit code is not known", async () => {
    await using harness = await ProcessHarness.start();
    const uid = await harness.run(pod(randomUUID(), [shell("main", "exec sleep 67")]));
    await harness.running(uid, "main");
    const claim = join(harness.root, "jobs", uid, "containers/main/0/claim");
    const runner = await eventually("its runner", async () => {
      const text = await readFile(claim, "utf8").catch(() => "");
      return text.endsWith("\n") && Number(text.split(" ")[0]);
    });
    await harness.provider.close?.();
    for (const pid of await processesOf(harness.root)) process.kill(pid, "SIGKILL");
    expect(runner).toBeGreaterThan(1);
    await harness.begin();
    expect(await harness.ended(uid, "main")).toMatchObject({
      exitCode: 137,
      message: expect.stringContaining("exit code is not known"),
    });
  });
});
