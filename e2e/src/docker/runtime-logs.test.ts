import type { ContainerHandle, RuntimeLogOptions } from "@interlink/plugin-sdk";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeEngines } from "../systems/describe-system.ts";
import { BUSYBOX } from "../systems/images.ts";
import { waitUntil } from "../systems/wait-until.ts";
import { RuntimeFixture } from "./runtime-fixture.ts";

const STAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z /;
/** Where a script waits until the test opens it. */
const gate = "[ -e /tmp/gate ] || mkfifo /tmp/gate; read x < /tmp/gate";
const container = (script: string) => ({
  name: "main",
  image: BUSYBOX,
  command: ["sh", "-c", script],
});

describeEngines("logs of a real engine", (engine) => {
  let fixture: RuntimeFixture;
  let five: ContainerHandle;
  beforeAll(async () => {
    fixture = await RuntimeFixture.open(engine.host);
    five = (
      await fixture.run(container("for i in 1 2 3; do echo $i; done; sleep 0.2; echo 4; printf 5"))
    ).handle;
  });
  afterAll(async () => {
    await fixture[Symbol.asyncDispose]();
  });

  const open = (handle: ContainerHandle): Promise<unknown> =>
    fixture.runtime.exec(
      handle,
      ["sh", "-c", "echo > /tmp/gate"],
      { maxOutputBytes: 0 },
      fixture.signal,
    );

  /** What is seen while following to the end; the gate opens when `first` was seen. */
  async function followed(
    handle: ContainerHandle,
    more: Partial<RuntimeLogOptions>,
    first: string,
  ): Promise<string> {
    let seen = "";
    const options = { follow: true, timestamps: false, ...more };
    for await (const chunk of fixture.runtime.logs(handle, options, fixture.signal)) {
      seen += Buffer.from(chunk).toString("utf8");
      if (seen === first) await open(handle);
    }
    return seen;
  }

  it.each([
    [{}, "1\n2\n3\n4\n5"],
    [{ tailLines: 2 }, "4\n5"],
    [{ tailLines: 0 }, ""],
    [{ tailLines: 100 }, "1\n2\n3\n4\n5"],
    [{ limitBytes: 3 }, "1\n2"],
    [{ limitBytes: 0 }, ""],
    [{ tailLines: 3, limitBytes: 4 }, "3\n4\n"],
    [{ sinceTime: 0 }, "1\n2\n3\n4\n5"],
    [{ follow: true }, "1\n2\n3\n4\n5"],
  ])("gives with %j what is asked for", async (options, expected) => {
    expect(await fixture.log(five, options)).toBe(expected);
  });

  it("puts a time of fixed width before each line, also of one that was cut in pieces", async () => {
    const { handle } = await fixture.run(
      container("head -c 100000 /dev/zero | tr '\\0' x; echo; echo short"),
    );
    const lines = (await fixture.log(handle, { timestamps: true })).split("\n");
    expect(lines).toHaveLength(3);
    expect(lines[0]).toMatch(STAMP);
    expect(lines[0]?.replace(STAMP, "")).toBe("x".repeat(100_000));
    expect(lines[1]?.replace(STAMP, "")).toBe("short");
  });

  it("leaves out what is older than a time", async () => {
    const main = container(`echo old; ${gate}; echo new; printf last`);
    const handle = await fixture.start(await fixture.pod([main]), main);
    await fixture.logHas(handle, "old");
    // By a clock of ours: Podman tells the times of lines in whole seconds, but knows them better.
    const between = Date.now() + 1;
    await waitUntil("the clock has gone on", () => Date.now() > between);
    await open(handle);
    await fixture.ended(handle);
    expect(await fixture.log(handle, { sinceTime: between })).toBe("new\nlast");
    expect(await fixture.log(handle, { sinceTime: between, tailLines: 1 })).toBe("last");
    expect(await fixture.log(handle, { sinceTime: between, tailLines: 5 })).toBe("new\nlast");
    expect(await fixture.log(handle, { sinceTime: Date.now() + 60_000 })).toBe("");
  });

  it("keeps every byte, on Docker every one that is text", async () => {
    const { handle } = await fixture.run(
      container('i=0; while [ $i -lt 256 ]; do printf "\\\\$(printf %03o $i)"; i=$((i+1)); done'),
    );
    const chunks: Uint8Array[] = [];
    const options = { follow: false, timestamps: false };
    for await (const chunk of fixture.runtime.logs(handle, options, fixture.signal)) {
      chunks.push(chunk);
    }
    const kept = engine.kind === "podman" ? 256 : 128;
    expect(Buffer.concat(chunks).subarray(0, kept)).toEqual(
      Buffer.from(Array.from({ length: kept }, (_, i) => i)),
    );
  });

  it("gives one of the two streams, also following", async () => {
    const { handle } = await fixture.run(container("echo out; echo err >&2; printf last"));
    expect(await fixture.log(handle, { stream: "Stdout" })).toBe("out\nlast");
    expect(await fixture.log(handle, { stream: "Stderr" })).toBe("err\n");
    expect(await fixture.log(handle, { stream: "Stderr", follow: true })).toBe("err\n");
    expect(await fixture.log(handle, { stream: "Stdout", limitBytes: 2 })).toBe("ou");
  });

  it("reads the log of a container with a terminal", async () => {
    const { log } = await fixture.run({ ...container("echo a; tty"), tty: true });
    expect(log).toMatch(/^a\r\n\/dev\/pts\/0\r\n$/);
  });

  it("follows until the container ends", async () => {
    const main = container(`echo first; ${gate}; echo last`);
    const handle = await fixture.start(await fixture.pod([main]), main);
    expect(await followed(handle, {}, "first\n")).toBe("first\nlast\n");
  });

  it("follows from the last lines on", async () => {
    const main = container(`seq 5; ${gate}; echo six; echo seven`);
    const handle = await fixture.start(await fixture.pod([main]), main);
    await fixture.logHas(handle, "5\n");
    expect(await followed(handle, { tailLines: 2 }, "4\n5\n")).toBe("4\n5\nsix\nseven\n");
  });

  it("stops following when nobody reads any more", async () => {
    const main = container("while true; do usleep 50000; done");
    const handle = await fixture.start(await fixture.pod([main]), main);
    const leaving = new AbortController();
    const reading = (async () => {
      const chunks: Uint8Array[] = [];
      const options = { follow: true, timestamps: false };
      for await (const chunk of fixture.runtime.logs(handle, options, leaving.signal)) {
        chunks.push(chunk);
      }
      return chunks;
    })();
    await waitUntil(
      "the container runs",
      async () => (await fixture.find(handle))?.state === "running",
    );
    leaving.abort();
    expect(await reading).toEqual([]);
  });
});
