import type { ContainerHandle, StreamRequest } from "@interlink/plugin-sdk";
import type { Container } from "kubernetes-types/core/v1.js";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeEngines } from "../systems/describe-system.ts";
import { BUSYBOX } from "../systems/images.ts";
import { waitUntil } from "../systems/wait-until.ts";
import { listenTo } from "./process-output.ts";
import { RuntimeFixture } from "./runtime-fixture.ts";

const ALL: StreamRequest = { stdin: true, stdout: true, stderr: true, tty: false };

describeEngines("attaching to containers of a real engine", (engine) => {
  let fixture: RuntimeFixture;
  beforeAll(async () => {
    fixture = await RuntimeFixture.open(engine.host);
  });
  afterAll(async () => {
    await fixture[Symbol.asyncDispose]();
  });

  async function start(script: string, more: Partial<Container> = {}): Promise<ContainerHandle> {
    const main = { name: "main", image: BUSYBOX, command: ["sh", "-c", script], ...more };
    return fixture.start(await fixture.pod([main]), main);
  }

  it("talks to the container's process until its end", async () => {
    const script = "while read x; do [ $x = end ] && exit 5; echo $x; echo $x! >&2; done";
    const handle = await start(script, { stdin: true });
    const streams = await fixture.runtime.openAttach(handle, ALL, fixture.signal);
    const [stdout, stderr] = [listenTo(streams.stdout), listenTo(streams.stderr)];
    streams.stdin?.write("one\n");
    await waitUntil("it answers", () => stdout.text === "one\n" && stderr.text === "one!\n");
    streams.stdin?.write("end\n");
    expect(await streams.ended).toEqual({ exitCode: 5 });
    expect(await fixture.log(handle)).toContain("one\n");
  });

  it.each([
    ["a container with a terminal", { stdin: true, tty: true }, { stdin: true, stderr: false }],
    ["a caller who only looks on", { stdin: true }, { stdin: false }],
  ])("changes nothing when the caller goes: %s", async (_, more, wanted) => {
    const handle = await start("echo ready; while read x; do echo $x; done", more);
    const streams = { ...ALL, ...wanted };
    const first = await fixture.runtime.openAttach(handle, streams, fixture.signal);
    await fixture.logHas(handle, "ready");
    first.close();
    expect(await first.ended).toMatchObject({ error: expect.any(String) as string });
    const all = { ...ALL, stderr: streams.stderr };
    const second = await fixture.runtime.openAttach(handle, all, fixture.signal);
    second.stdin?.write("later\n");
    await fixture.logHas(handle, "later");
    expect(await fixture.find(handle)).toMatchObject({ state: "running" });
    second.close();
  });

  // Podman runs conmon so that the end of a client's input is the end of the container's, whatever stdinOnce says.
  const left = engine.kind === "podman" ? "ends with" : "outlives";
  it(`gives a container without a terminal an input that ${left} the caller who gave it`, async () => {
    const handle = await start("while read x; do echo $x; done; echo no more", { stdin: true });
    const first = await fixture.runtime.openAttach(handle, ALL, fixture.signal);
    first.stdin?.write("one\n");
    await fixture.logHas(handle, "one");
    first.close();
    if (engine.kind === "podman") {
      await fixture.ended(handle);
      expect(await fixture.log(handle)).toBe("one\nno more\n");
      return;
    }
    const second = await fixture.runtime.openAttach(handle, ALL, fixture.signal);
    second.stdin?.write("two\n");
    await fixture.logHas(handle, "two");
    second.close();
    expect(await fixture.log(handle)).toBe("one\ntwo\n");
  });

  it("tells a container with a terminal its size", async () => {
    const handle = await start("while read x; do stty size; done", { stdin: true, tty: true });
    const wanted = { ...ALL, stderr: false, tty: true };
    const streams = await fixture.runtime.openAttach(handle, wanted, fixture.signal);
    const screen = listenTo(streams.stdout);
    streams.resize({ width: 101, height: 31 });
    await waitUntil("the terminal has that size", async () => {
      streams.stdin?.write("\n");
      return screen.text.includes("31 101\r\n");
    });
    streams.close();
  });

  it("refuses when the container has ended", async () => {
    const handle = await start("true");
    await fixture.ended(handle);
    const opening = fixture.runtime.openAttach(handle, ALL, fixture.signal);
    await expect(opening).rejects.toMatchObject({ code: "NotRunning" });
  });
});
