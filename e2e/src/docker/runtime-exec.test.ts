import { once } from "node:events";
import type { ContainerHandle, StreamRequest } from "@interlink/plugin-sdk";
import type { ProcessStreams } from "@interlink/protocol";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeEngines } from "../systems/describe-system.ts";
import { BUSYBOX } from "../systems/images.ts";
import { waitUntil } from "../systems/wait-until.ts";
import { listenTo, outputOf } from "./process-output.ts";
import { RuntimeFixture } from "./runtime-fixture.ts";

const ALL: StreamRequest = { stdin: true, stdout: true, stderr: true, tty: false };
const TERMINAL: StreamRequest = { stdin: true, stdout: true, stderr: false, tty: true };

describeEngines("processes with streams in a running container of a real engine", (engine) => {
  let fixture: RuntimeFixture;
  let handle: ContainerHandle;
  beforeAll(async () => {
    fixture = await RuntimeFixture.open(engine.host);
    const main = { name: "main", image: BUSYBOX, command: ["sleep", "100000"] };
    handle = await fixture.start(await fixture.pod([main]), main);
  });
  afterAll(async () => {
    await fixture[Symbol.asyncDispose]();
  });

  const sh = (script: string, streams: Partial<StreamRequest> = ALL): Promise<ProcessStreams> =>
    fixture.runtime.openExec(
      handle,
      { ...ALL, ...streams, command: ["sh", "-c", script] },
      fixture.signal,
    );

  /** Whether a process with this word in its command line runs in the container. */
  const runs = async (word: string): Promise<boolean> => {
    const { output } = await fixture.runtime.exec(
      handle,
      ["sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"],
      { maxOutputBytes: 100_000 },
      fixture.signal,
    );
    return output.includes(word);
  };

  it("keeps the two outputs apart, and tells the exit code", async () => {
    const streams = await sh("echo out; echo err >&2; exit 42", { ...ALL, stdin: false });
    expect(streams.stdin).toBeUndefined();
    expect(await outputOf(streams)).toEqual({
      stdout: "out\n",
      stderr: "err\n",
      end: { exitCode: 42 },
    });
  });

  it("ends the process's input when the caller's ends, and still gives its output", async () => {
    const streams = await sh("cat; echo done");
    streams.stdin?.end("one\ntwo\n");
    expect(await outputOf(streams)).toMatchObject({
      stdout: "one\ntwo\ndone\n",
      end: { exitCode: 0 },
    });
  });

  it("carries more than any buffer holds, both ways at once, and every byte of it", async () => {
    const streams = await sh("cat");
    const bytes = Buffer.alloc(8 * 1024 * 1024);
    for (let i = 0; i < bytes.length; i++) bytes[i] = (i * 31 + (i >> 8)) & 0xff;
    streams.stdin?.end(bytes);
    const chunks: Buffer[] = [];
    for await (const chunk of streams.stdout ?? []) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
    expect(await streams.ended).toEqual({ exitCode: 0 });
  });

  it("holds back a process that writes faster than it is read", async () => {
    const streams = await sh("yes | head -c 67108864; echo all written >&2");
    const stderr = listenTo(streams.stderr);
    if (streams.stdout !== undefined) await once(streams.stdout, "readable");
    let read = 0;
    for await (const chunk of streams.stdout ?? []) {
      if (read === 0) expect(stderr.text).toBe("");
      read += (chunk as Buffer).length;
    }
    expect(read).toBe(67_108_864);
    expect(await streams.ended).toEqual({ exitCode: 0 });
    expect(stderr.text).toBe("all written\n");
  });

  it("gives a terminal, of the size that it is told", async () => {
    const streams = await sh(
      "tty; while read line; do case $line in size) stty size;; *) exit 3;; esac; done",
      TERMINAL,
    );
    const screen = listenTo(streams.stdout);
    await waitUntil("the terminal is there", () => screen.text.includes("/dev/pts/"));
    for (const [width, height] of [
      [80, 24],
      [133, 43],
    ] as const) {
      streams.resize({ width, height });
      await waitUntil(`the terminal has ${height} lines`, async () => {
        streams.stdin?.write("size\n");
        return screen.text.includes(`${height} ${width}\r\n`);
      });
    }
    streams.stdin?.write("end\n");
    expect(await streams.ended).toEqual({ exitCode: 3 });
  });

  it("passes on every key that is typed, at once", async () => {
    const streams = await sh("stty raw -echo; echo ready; head -c 2 | od -An -tx1", TERMINAL);
    const screen = listenTo(streams.stdout);
    await waitUntil("it reads", () => screen.text.includes("ready"));
    // What engines would take as the wish to leave: ctrl-p, ctrl-q.
    streams.stdin?.write("\x10");
    streams.stdin?.write("\x11");
    expect(await streams.ended).toEqual({ exitCode: 0 });
    expect(screen.text).toContain("10 11");
  });

  it("tells of a command that does not exist", async () => {
    const command = ["/no/such/program"];
    const { end } = await fixture.runtime
      .openExec(handle, { ...ALL, stdin: false, command }, fixture.signal)
      .then(outputOf);
    expect(end).toMatchObject({ exitCode: expect.toSatisfy((code) => code >= 126) as number });
  });

  it("refuses when the container has ended", async () => {
    const main = { name: "main", image: BUSYBOX, command: ["true"] };
    const over = await fixture.start(await fixture.pod([main]), main);
    await fixture.ended(over);
    const opening = fixture.runtime.openExec(over, { ...ALL, command: ["true"] }, fixture.signal);
    await expect(opening).rejects.toMatchObject({ code: "NotRunning" });
  });

  it("ends with the container", async () => {
    const main = { name: "main", image: BUSYBOX, command: ["sleep", "100000"] };
    const mortal = await fixture.start(await fixture.pod([main]), main);
    const command = ["sh", "-c", "echo ready; exec sleep 100000"];
    const streams = await fixture.runtime.openExec(mortal, { ...ALL, command }, fixture.signal);
    const heard = listenTo(streams.stdout);
    // The engine answers before the process runs; one that is ended before it began has no exit code of its own.
    await waitUntil("it runs", () => heard.text === "ready\n");
    await fixture.runtime.stopContainer(mortal, 0, fixture.signal);
    expect(await streams.ended).toEqual({ exitCode: 137 });
  });

  it("leaves a process its end of input when the caller goes", async () => {
    const streams = await sh("echo ready; : left-without-terminal; cat; true");
    const heard = listenTo(streams.stdout);
    await waitUntil("it reads", () => heard.text === "ready\n");
    expect(await runs("left-without-terminal; cat")).toBe(true);
    streams.close();
    expect(await streams.ended).toMatchObject({ error: expect.any(String) as string });
    await waitUntil("it has ended", async () => !(await runs("left-without-terminal; cat")));
  });

  it("hangs up the terminal of a process when the caller goes", async () => {
    const streams = await sh("echo ready; : left-at-terminal; read x; true", TERMINAL);
    const heard = listenTo(streams.stdout);
    await waitUntil("it reads", () => heard.text === "ready\r\n");
    expect(await runs("left-at-terminal; read")).toBe(true);
    streams.close();
    await waitUntil("it has ended", async () => !(await runs("left-at-terminal; read")));
  });
});
