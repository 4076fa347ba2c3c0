import { afterAll, beforeAll, expect, it } from "vitest";
import { describeEngines } from "../systems/describe-system.ts";
import { BUSYBOX } from "../systems/images.ts";
import { RuntimeFixture } from "./runtime-fixture.ts";

const container = (name: string, script: string) => ({
  name,
  image: BUSYBOX,
  command: ["sh", "-c", script],
});

describeEngines("the target of an ephemeral container on a real engine", (engine) => {
  let fixture: RuntimeFixture;
  beforeAll(async () => {
    fixture = await RuntimeFixture.open(engine.host);
  });
  afterAll(async () => {
    await fixture[Symbol.asyncDispose]();
  });

  it("shows its processes", async () => {
    const main = container("main", "exec sleep 1234");
    const pod = await fixture.pod([main]);
    const target = await fixture.start(pod, main);
    const debug = container("debug", "tr '\\0' ' ' < /proc/1/cmdline");
    const handle = await fixture.create(pod, debug, { kind: "ephemeral", target });
    await fixture.runtime.startContainer(handle, fixture.signal);
    await fixture.logHas(handle, "sleep 1234");
  });

  it("that has ended meanwhile is the end of it, told in the engine's words", async () => {
    const main = container("main", "exec sleep 1234");
    const pod = await fixture.pod([main]);
    const target = await fixture.start(pod, main);
    const handle = await fixture.create(pod, container("debug", "true"), {
      kind: "ephemeral",
      target,
    });
    await fixture.runtime.stopContainer(target, 0, fixture.signal);
    const starting = fixture.runtime.startContainer(handle, fixture.signal);
    await expect(starting).rejects.toMatchObject({ code: "StartFailed" });
    // An old attempt is removed where the engine lets it; else it goes with the pod.
    await fixture.runtime.removeContainer(target, fixture.signal);
    await fixture.runtime.removeSandbox(target.uid, fixture.signal);
    expect(await fixture.find(target)).toBeUndefined();
  });
});
