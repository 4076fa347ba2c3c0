import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Pod } from "kubernetes-types/core/v1.js";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { podManifest } from "./harness/manifest.ts";
import { System } from "./harness/system.ts";
import { describeKubernetes } from "./systems/describe-system.ts";
import { FakeClock } from "./systems/faketime.ts";
import { waitUntil } from "./systems/wait-until.ts";

describeKubernetes("what goes wrong between the node and Kubernetes", (target) => {
  let system: System;
  let notes: string;

  beforeAll(async () => {
    system = await System.start({ plugin: { name: "process" }, target, breakable: true });
    notes = join(system.directory, "notes");
    await mkdir(notes);
  });
  afterAll(async () => {
    await system?.[Symbol.asyncDispose]();
  });

  /** A pod that notes each run in a file and ends with the code once its mark is there. */
  function manifest(name: string, exitCode = 0): string {
    const until = `until [ -e ${mark(name)} ]; do sleep 0.1; done`;
    return podManifest(name, { command: `echo run >> ${runs(name)}; ${until}; exit ${exitCode}` });
  }

  const mark = (name: string) => join(notes, `${name}.end`);
  const runs = (name: string) => join(notes, `${name}.runs`);

  async function start(name: string, exitCode = 0): Promise<Pod> {
    await system.kubectl.run(["apply", "-f", "-"], { input: manifest(name, exitCode) });
    const pod = await system.podInPhase(name, "Running");
    await waitUntil("it has noted its run", () => existsSync(runs(name)));
    return pod;
  }

  async function runsOf(name: string): Promise<number> {
    if (!existsSync(runs(name))) return 0;
    return (await readFile(runs(name), "utf8")).trim().split("\n").length;
  }

  async function nodeIs(status: "True" | "False" | "Unknown", timeoutMs: number): Promise<void> {
    await waitUntil(
      `the condition Ready of the node is ${status}`,
      async () => {
        const node = await system.node();
        const ready = node.status?.conditions?.find(({ type }) => type === "Ready");
        return ready?.status === status;
      },
      timeoutMs,
    );
  }

  test("its connections fall silent for ever: what is new is noticed all the same", async () => {
    await start("before-silence", 3);
    system.link.freeze();
    await writeFile(mark("before-silence"), "");
    await system.kubectl.run(["apply", "-f", "-"], { input: manifest("in-silence") });
    await writeFile(mark("in-silence"), "");
    // A watch is given up when it has been silent for longer than Kubernetes is.
    await system.podInPhase("in-silence", "Succeeded", 150_000);
    const pod = await system.podInPhase("before-silence", "Failed");
    expect(pod.status?.containerStatuses?.[0]?.state?.terminated?.exitCode).toBe(3);
    expect(await runsOf("in-silence")).toBe(1);
  }, 260_000);

  test("the network is cut for two minutes, and what happened is forgotten meanwhile: pods run on, and everything is right when it is back", async () => {
    await start("through-cut");
    await start("ends-in-cut", 5);
    await start("deleted-in-cut");
    const old = await start("same-name");
    const cutAt = Date.now();
    system.link.cut();
    await nodeIs("Unknown", 90_000);
    await writeFile(mark("ends-in-cut"), "");
    await system.kubectl.run(["delete", "pod", "deleted-in-cut", "--wait=false"]);
    await system.kubectl.run(["delete", "pod", "same-name", "--grace-period=0", "--force"]);
    await system.kubectl.run(["apply", "-f", "-"], { input: manifest("same-name") });
    await system.kubectl.run(["apply", "-f", "-"], { input: manifest("made-in-cut") });
    await system.cluster.forgetHistory();
    await waitUntil("two minutes are over", () => Date.now() - cutAt > 120_000, 130_000);
    system.link.mend();

    await nodeIs("True", 90_000);
    const ended = await system.podInPhase("ends-in-cut", "Failed", 120_000);
    expect(ended.status?.containerStatuses?.[0]?.state?.terminated?.exitCode).toBe(5);
    const through = await waitUntil("the pod is Ready again", async () => {
      const pod = await system.pod("through-cut");
      const ready = pod?.status?.conditions?.find(({ type }) => type === "Ready");
      return ready?.status === "True" ? pod : undefined;
    });
    expect(through.status?.containerStatuses?.[0]?.restartCount).toBe(0);
    await waitUntil(
      "the deleted pod is gone",
      async () => (await system.pod("deleted-in-cut")) === undefined,
      60_000,
    );
    const fresh = await system.podInPhase("same-name", "Running");
    expect(fresh.metadata?.uid).not.toBe(old.metadata?.uid);
    await waitUntil("both of that name have run", async () => (await runsOf("same-name")) === 2);
    await system.podInPhase("made-in-cut", "Running");
    for (const name of ["through-cut", "ends-in-cut", "made-in-cut"]) {
      expect(await runsOf(name)).toBe(1);
    }
    const left = ["through-cut", "made-in-cut", "same-name"];
    await system.kubectl.run(["delete", "pod", ...left, "--timeout=60s"]);
  }, 500_000);

  test("the API server restarts over and over: the lease goes on, and pods that end meanwhile are told", async () => {
    await start("restarts", 9);
    for (let round = 1; round <= 3; round += 1) {
      const before = await renewTime();
      await system.cluster.pause();
      if (round === 2) await writeFile(mark("restarts"), "");
      await system.cluster.resume();
      await waitUntil("the lease is renewed", async () => (await renewTime()) > before, 60_000);
    }
    const pod = await system.podInPhase("restarts", "Failed");
    expect(pod.status?.containerStatuses?.[0]?.state?.terminated?.exitCode).toBe(9);
    expect(await runsOf("restarts")).toBe(1);
  }, 300_000);

  async function renewTime(): Promise<string> {
    // Right after a restart the server may not answer yet: nothing is renewed then either.
    const lease = await system.lease().catch(() => undefined);
    return lease?.spec?.renewTime ?? "";
  }
});

const faketime = inject("faketime");

describeKubernetes(
  `the clock of the site's machines jumps${"missing" in faketime ? ` [skipped: ${faketime.missing}]` : ""}`,
  (target) => {
    if ("missing" in faketime) {
      test.skip("needs libfaketime");
      return;
    }
    let system: System;
    let clock: FakeClock;
    let clockDirectory: string;

    beforeAll(async () => {
      clockDirectory = await mkdtemp(join(tmpdir(), "interlink-clock-"));
      clock = new FakeClock(faketime.system.library, clockDirectory);
      const { env } = clock;
      system = await System.start({
        plugin: { name: "process" },
        target,
        env: { node: env, server: env, plugin: env },
      });
    });
    afterAll(async () => {
      clock?.jump(0);
      await system?.[Symbol.asyncDispose]();
      await rm(clockDirectory, { recursive: true, force: true });
    });

    async function lease(): Promise<{ version: string; renewed: string }> {
      const { metadata, spec } = await system.lease();
      return { version: metadata?.resourceVersion ?? "", renewed: spec?.renewTime ?? "" };
    }

    test.each([
      ["two hours ahead", 2 * 3600, "ahead"],
      ["back again", 0, "back"],
      ["ten minutes behind", -600, "behind"],
    ])(
      "%s: the lease is renewed, the node stays Ready, pods run on, end and start",
      async (_title, seconds, word) => {
        const marked = join(clockDirectory, word);
        const names = { long: `long-${word}`, fresh: `fresh-${word}` };
        await system.kubectl.run(["apply", "-f", "-"], {
          input: podManifest(names.long, {
            command: `until [ -e ${marked} ]; do sleep 0.1; done; exit 4`,
          }),
        });
        await system.podInPhase(names.long, "Running");
        const before = await lease();
        clock.jump(seconds);
        const after = await waitUntil(
          "the lease is renewed by the new clock",
          async () => {
            const now = await lease();
            const off = Date.parse(now.renewed) - Date.now() - seconds * 1000;
            return now.version !== before.version && Math.abs(off) < 60_000 ? now : undefined;
          },
          60_000,
        );
        expect(after.renewed).not.toBe(before.renewed);
        await system.kubectl.run(["apply", "-f", "-"], { input: podManifest(names.fresh) });
        await system.podInPhase(names.fresh, "Succeeded");
        expect((await system.pod(names.long))?.status?.phase).toBe("Running");
        await writeFile(marked, "");
        const ended = await system.podInPhase(names.long, "Failed");
        const [status] = ended.status?.containerStatuses ?? [];
        expect(status?.restartCount).toBe(0);
        expect(status?.state?.terminated?.exitCode).toBe(4);
        const node = await system.node();
        const ready = node.status?.conditions?.find(({ type }) => type === "Ready");
        expect(ready?.status).toBe("True");
      },
      120_000,
    );
  },
);
