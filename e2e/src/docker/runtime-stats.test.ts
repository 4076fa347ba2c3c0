import { afterAll, beforeAll, expect, it } from "vitest";
import { describeEngines } from "../systems/describe-system.ts";
import { BUSYBOX } from "../systems/images.ts";
import { waitUntil } from "../systems/wait-until.ts";
import { RuntimeFixture } from "./runtime-fixture.ts";

describeEngines("statistics of a real engine", (engine) => {
  let fixture: RuntimeFixture;
  beforeAll(async () => {
    fixture = await RuntimeFixture.open(engine.host);
  });
  afterAll(async () => {
    await fixture[Symbol.asyncDispose]();
  });

  it("tells what running containers use, and the pod's network", async () => {
    const busy = { name: "busy", image: BUSYBOX, command: ["sh", "-c", "while true; do :; done"] };
    const over = { name: "over", image: BUSYBOX, command: ["true"] };
    const pod = await fixture.pod([busy, over]);
    const uid = pod.metadata?.uid ?? "";
    const handle = await fixture.start(pod, busy);
    await fixture.ended(await fixture.start(pod, over));
    const started = (await fixture.find(handle))?.startedAt;
    // The rate is known from the second sample on.
    const { stats, mine } = await waitUntil("the rate of CPU is measured", async () => {
      const all = await fixture.runtime.stats(fixture.signal);
      const own = all.containers.filter((one) => one.uid === uid);
      return own[0]?.cpu?.usageNanoCores === undefined ? undefined : { stats: all, mine: own };
    });
    expect(mine).toEqual([
      {
        uid,
        containerName: "busy",
        startTime: started,
        cpu: {
          time: expect.stringMatching(/^\d{4}-/) as string,
          usageCoreNanoSeconds: expect.any(Number) as number,
          usageNanoCores: expect.toSatisfy((rate) => rate > 0 && rate < 64e9) as number,
        },
        memory: expect.objectContaining({
          usageBytes: expect.toSatisfy((bytes) => bytes > 0) as number,
          workingSetBytes: expect.toSatisfy((bytes) => bytes >= 0) as number,
        }) as object,
      },
    ]);
    expect(stats.network?.get(uid)).toMatchObject({
      name: expect.any(String) as string,
      rxBytes: expect.any(Number) as number,
      txBytes: expect.any(Number) as number,
    });
  });
});
