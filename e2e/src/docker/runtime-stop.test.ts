import { DockerRuntime, EngineClient } from "@interlink/plugin-docker";
import type { Lifecycle } from "kubernetes-types/core/v1.js";
import pino from "pino";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeEngines } from "../systems/describe-system.ts";
import { BUSYBOX } from "../systems/images.ts";
import { RuntimeFixture } from "./runtime-fixture.ts";

const LONG = "while true; do usleep 50000; done";
const container = (script: string) => ({
  name: "main",
  image: BUSYBOX,
  command: ["sh", "-c", script],
});

describeEngines("stopping and removing on a real engine", (engine) => {
  let fixture: RuntimeFixture;
  beforeAll(async () => {
    fixture = await RuntimeFixture.open(engine.host);
  });
  afterAll(async () => {
    await fixture[Symbol.asyncDispose]();
  });

  it("lets a container end by itself on SIGTERM", async () => {
    const main = container(`trap 'echo got TERM; exit 7' TERM; echo ready; ${LONG}`);
    const handle = await fixture.start(await fixture.pod([main]), main);
    await fixture.logHas(handle, "ready");
    await fixture.runtime.stopContainer(handle, 30, fixture.signal);
    expect(await fixture.find(handle)).toMatchObject({ state: "exited", exitCode: 7 });
    expect(await fixture.log(handle)).toBe("ready\ngot TERM\n");
  });

  it("kills a container that does not end within its grace", async () => {
    const main = container(`trap 'echo ignored' TERM; echo ready; ${LONG}`);
    const handle = await fixture.start(await fixture.pod([main]), main);
    await fixture.logHas(handle, "ready");
    await fixture.runtime.stopContainer(handle, 1, fixture.signal);
    expect(await fixture.find(handle)).toMatchObject({ state: "exited", exitCode: 137 });
    expect(await fixture.log(handle)).toBe("ready\nignored\n");
    // Stopping it once more changes nothing.
    await fixture.runtime.stopContainer(handle, 1, fixture.signal);
  });

  it("takes the stop signal that the pod asks for", async () => {
    const main = {
      ...container(`trap 'echo got USR1; exit 0' USR1; echo ready; ${LONG}`),
      // Newer than the types.
      lifecycle: { stopSignal: "SIGUSR1" } as Lifecycle,
    };
    const handle = await fixture.start(await fixture.pod([main]), main);
    await fixture.logHas(handle, "ready");
    await fixture.runtime.stopContainer(handle, 30, fixture.signal);
    expect(await fixture.log(handle)).toBe("ready\ngot USR1\n");
  });

  it("goes on stopping when the one who asked has gone, and hears of a shorter grace", async () => {
    const main = container(`trap 'echo got TERM' TERM; echo ready; ${LONG}`);
    const handle = await fixture.start(await fixture.pod([main]), main);
    await fixture.logHas(handle, "ready");
    const leaving = new AbortController();
    const stopping = fixture.runtime.stopContainer(handle, 600, leaving.signal);
    await fixture.logHas(handle, "got TERM");
    leaving.abort(new Error("the plugin goes away"));
    await expect(stopping).rejects.toThrow("the plugin goes away");
    // Another process of the same plugin.
    await using later = await RuntimeFixture.open(engine.host, fixture.plugin);
    await later.runtime.stopContainer(handle, 1, later.signal);
    expect(await later.find(handle)).toMatchObject({ state: "exited", exitCode: 137 });
  });

  it("makes a container that never ran unable to start", async () => {
    const main = container("echo ran");
    const handle = await fixture.create(await fixture.pod([main]), main);
    await fixture.runtime.stopContainer(handle, 30, fixture.signal);
    expect(await fixture.find(handle)).toBeUndefined();
    await expect(fixture.runtime.startContainer(handle, fixture.signal)).rejects.toMatchObject({
      code: "StartFailed",
    });
  });

  it("removes only what has ended, and the log with it", async () => {
    const main = container(LONG);
    const handle = await fixture.start(await fixture.pod([main]), main);
    await expect(fixture.runtime.removeContainer(handle, fixture.signal)).rejects.toThrow();
    await fixture.runtime.stopContainer(handle, 0, fixture.signal);
    await fixture.runtime.removeContainer(handle, fixture.signal);
    await fixture.runtime.removeContainer(handle, fixture.signal);
    expect(await fixture.find(handle)).toBeUndefined();
    await expect(fixture.log(handle)).rejects.toMatchObject({ code: "not-found" });
  });

  it("keeps logs when the sandbox is stopped, and leaves nothing when it is removed", async () => {
    const main = container("echo kept");
    const pod = await fixture.pod([main], {
      volumes: [{ name: "memory", emptyDir: { medium: "Memory" } }],
    });
    const uid = pod.metadata?.uid ?? "";
    const handle = await fixture.start(pod, main);
    await fixture.ended(handle);
    await fixture.runtime.stopSandbox(uid, fixture.signal);
    await fixture.runtime.stopSandbox(uid, fixture.signal);
    expect(await fixture.log(handle)).toBe("kept\n");
    await fixture.runtime.removeSandbox(uid, fixture.signal);
    await fixture.runtime.removeSandbox(uid, fixture.signal);
    const filters = { label: [`interlink.pod.uid=${uid}`] };
    const request = {
      method: "GET",
      query: { all: true, filters },
      signal: fixture.signal,
    } as const;
    expect(await fixture.engine.json({ ...request, path: "/containers/json" })).toEqual([]);
    expect(await fixture.engine.json({ ...request, path: "/volumes" })).toMatchObject({
      Volumes: [],
    });
  });

  it("kills what still runs when the sandbox is removed", async () => {
    const main = container(LONG);
    const pod = await fixture.pod([main]);
    const handle = await fixture.start(pod, main);
    await fixture.runtime.removeSandbox(handle.uid, fixture.signal);
    expect(await fixture.runtime.list(fixture.signal)).not.toContainEqual(
      expect.objectContaining({ id: handle.id }),
    );
  });

  it("starts a container although the sandbox had ended, as after a restart of the engine", async () => {
    const main = container("hostname -i");
    const pod = await fixture.pod([main]);
    const handle = await fixture.create(pod, main);
    await fixture.runtime.stopSandbox(handle.uid, fixture.signal);
    await fixture.runtime.startContainer(handle, fixture.signal);
    expect((await fixture.ended(handle)).exitCode).toBe(0);
    const address = await fixture.runtime.probeAddress(handle.uid, fixture.signal);
    expect(await fixture.log(handle)).toBe(`${address}\n`);
  });

  it("sees only its own containers on an engine that another plugin uses, too", async () => {
    await using other = await RuntimeFixture.open(engine.host);
    const main = container("echo mine");
    const handle = await fixture.start(await fixture.pod([main]), main);
    const ids = (all: { id: string }[]): string[] => all.map(({ id }) => id);
    expect(ids(await fixture.runtime.list(fixture.signal))).toContain(handle.id);
    expect(await other.runtime.list(other.signal)).toEqual([]);
    await other.runtime.removeSandbox(handle.uid, other.signal);
    expect(await fixture.find(handle)).toBeDefined();
  });

  it("finds everything again in a new process", async () => {
    const main = container(`echo ready; ${LONG}`);
    const done = { ...container("exit 5"), name: "done" };
    const pod = await fixture.pod([main, done]);
    const running = await fixture.start(pod, main);
    const ended = await fixture.start(pod, done, { attempt: 3 });
    await fixture.ended(ended);
    await using later = await RuntimeFixture.open(engine.host, fixture.plugin);
    expect(await later.find(running)).toEqual(await fixture.find(running));
    expect(await later.find(ended)).toMatchObject({
      attempt: 3,
      containerName: "done",
      exitCode: 5,
    });
    expect(await later.create(pod, main)).toEqual(running);
  });

  it("never says that containers are gone when the engine is away", async () => {
    await using away = await RuntimeFixture.open(engine.host);
    const runtime = new DockerRuntime({
      engine: new EngineClient({ kind: "unix", path: `${away.folder}/no.sock` }),
      logger: pino({ level: "silent" }),
      plugin: "away",
    });
    await expect(runtime.list(away.signal)).rejects.toMatchObject({ code: "Unavailable" });
    await expect(runtime.removeSandbox("x", away.signal)).rejects.toMatchObject({
      code: "Unavailable",
    });
    await expect(runtime.start(away.signal)).rejects.toThrow(/start Docker/);
    await runtime.close();
  });
});
