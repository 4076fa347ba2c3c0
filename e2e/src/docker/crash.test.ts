import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Checkpoint } from "@interlink/plugin-sdk";
import { CHECKPOINTS } from "@interlink/plugin-sdk";
import type { RetrievedPodData } from "@interlink/protocol";
import { expect, it, onTestFinished } from "vitest";
import { describeEngines } from "../systems/describe-system.ts";
import { BUSYBOX } from "../systems/images.ts";
import { waitUntil } from "../systems/wait-until.ts";
import type { CrashTask } from "./crash-child.ts";
import { dieAt } from "./die-at.ts";
import { ProviderFixture, withGrace } from "./provider-fixture.ts";

describeEngines("kill -9 of the Docker plugin", (engine) => {
  async function stopped(): Promise<ProviderFixture> {
    const fixture = await ProviderFixture.open(engine.host);
    onTestFinished(async () => {
      await fixture[Symbol.asyncDispose]();
    });
    await fixture.stop();
    return fixture;
  }

  /** Adds a line to a file on the host each time that it runs. */
  function counting(fixture: ProviderFixture, then: string): RetrievedPodData {
    return fixture.data({
      containers: [
        {
          name: "main",
          image: BUSYBOX,
          imagePullPolicy: "IfNotPresent",
          command: ["sh", "-c", `echo run >> /host/runs; echo logged; ${then}`],
          volumeMounts: [{ name: "host", mountPath: "/host" }],
        },
      ],
      volumes: [{ name: "host", hostPath: { path: fixture.folder } }],
    });
  }

  const steps = (action: CrashTask["action"]): Checkpoint[] =>
    CHECKPOINTS.filter((step) => step.startsWith(`${action}.`));

  it.each(steps("create"))(
    "at %s: the pod runs exactly once, and its log is there",
    async (step) => {
      const fixture = await stopped();
      const data = counting(fixture, "exit 7");
      await dieAt(fixture, step, "create", data);
      await fixture.start();
      // The API server asks again, as it has not seen an answer.
      await fixture.provider.create(data, fixture.signal);
      const { state, restartCount } = await fixture.ended(data);
      expect(state?.terminated?.exitCode).toBe(7);
      expect(restartCount).toBe(0);
      expect(await readFile(join(fixture.folder, "runs"), "utf8")).toBe("run\n");
      expect(await fixture.log(data)).toBe("logged\n");
      await fixture.remove(data);
    },
  );

  it.each(steps("delete"))("at %s: the pod still goes, and cannot come back", async (step) => {
    const fixture = await stopped();
    const data = counting(fixture, "trap 'exit 0' TERM; while true; do usleep 50000; done");
    await fixture.start();
    await fixture.provider.create(data, fixture.signal);
    await fixture.running(data);
    await waitUntil("it has counted", async () => (await fixture.log(data)) === "logged\n");
    await fixture.stop();
    await dieAt(fixture, step, "delete", { ...data, pod: withGrace(data, 30) });
    await fixture.start();
    await fixture.absent(data);
    await expect(fixture.provider.create(data, fixture.signal)).rejects.toMatchObject({
      code: "conflict",
    });
    expect(await fixture.inEngine(data)).toEqual([]);
    expect(await readFile(join(fixture.folder, "runs"), "utf8")).toBe("run\n");
  });
});
