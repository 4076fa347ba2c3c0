import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import type { Pod } from "kubernetes-types/core/v1.js";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeEngines } from "../systems/describe-system.ts";
import { BUSYBOX } from "../systems/images.ts";
import { waitUntil } from "../systems/wait-until.ts";
import { RuntimeFixture } from "./runtime-fixture.ts";

describeEngines("connections to ports of pods on a real engine", (engine) => {
  let fixture: RuntimeFixture;
  beforeAll(async () => {
    fixture = await RuntimeFixture.open(engine.host);
  });
  afterAll(async () => {
    await fixture[Symbol.asyncDispose]();
  });

  /** A pod that runs a command, once something listens on a port in it. */
  async function serving(port: number, command: string[]): Promise<Pod> {
    const main = { name: "main", image: BUSYBOX, command };
    const pod = await fixture.pod([main]);
    const handle = await fixture.start(pod, main);
    const hex = port.toString(16).toUpperCase().padStart(4, "0");
    await waitUntil("it listens", async () => {
      const listens = `grep -E '^ +[0-9]+: [0-9A-F]+:${hex} [0-9A-F:]+ 0A' /proc/net/tcp /proc/net/tcp6`;
      const { exitCode } = await fixture.runtime.exec(
        handle,
        ["sh", "-c", listens],
        { maxOutputBytes: 1000 },
        fixture.signal,
      );
      return exitCode === 0;
    });
    return pod;
  }

  /** Whether a connection through the sandbox is open. */
  const relayRuns = async (pod: Pod): Promise<boolean> => {
    const filters = { label: [`interlink.pod.uid=${pod.metadata?.uid}`, "interlink.kind=sandbox"] };
    const [sandbox] = await fixture.engine.json<{ Id: string }[]>({
      method: "GET",
      path: "/containers/json",
      query: { filters },
      signal: fixture.signal,
    });
    const id = sandbox?.Id ?? "none";
    // The engine is on this machine, so its processes are here.
    const text = async (pid: string, file: string): Promise<string> =>
      readFile(`/proc/${pid}/${file}`, "utf8").catch(() => "");
    for (const pid of await readdir("/proc")) {
      if ((await text(pid, "cmdline")) !== "/relay\0") continue;
      if ((await text(pid, "cgroup")).includes(id)) return true;
    }
    return false;
  };

  const connect = (pod: Pod, port: number) =>
    fixture.runtime.connect(pod.metadata?.uid ?? "", port, fixture.signal);

  it("reaches a server that listens on the pod's loopback alone", async () => {
    const command = ["httpd", "-f", "-p", "127.0.0.1:8080", "-h", "/etc"];
    const pod = await serving(8080, command);
    const connection = await connect(pod, 8080);
    connection.write("GET /passwd HTTP/1.0\r\n\r\n");
    let answer = "";
    connection.on("data", (chunk: Buffer) => {
      answer += chunk.toString("utf8");
    });
    await once(connection, "end");
    expect(answer).toMatch(/^HTTP\/1\.\d 200 OK\r\n[^]*root:/);
    // The server has ended its side; ours is still open.
    connection.end();
    await once(connection, "close");
  });

  it("carries more than any buffer holds, both ways at once, and half-closes", async () => {
    const pod = await serving(7000, ["nc", "-ll", "-p", "7000", "-e", "cat"]);
    const connection = await connect(pod, 7000);
    const bytes = Buffer.alloc(16 * 1024 * 1024, "0123456789-abcdef");
    // The peer ends when it has read to our end, so all that it gives back comes after our half-close.
    connection.end(bytes);
    expect((await buffer(connection)).equals(bytes)).toBe(true);
  });

  it("keeps connections apart", async () => {
    const pod = await serving(7001, ["nc", "-ll", "-p", "7001", "-e", "cat"]);
    const all = await Promise.all(
      ["one", "two", "three"].map(async (text) => {
        const connection = await connect(pod, 7001);
        connection.end(text);
        return (await buffer(connection)).toString();
      }),
    );
    expect(all).toEqual(["one", "two", "three"]);
  });

  it("says that nobody listens", async () => {
    const main = { name: "main", image: BUSYBOX, command: ["sleep", "100000"] };
    const pod = await fixture.pod([main]);
    await fixture.start(pod, main);
    await expect(connect(pod, 9)).rejects.toMatchObject({
      code: "NotRunning",
      message: expect.stringContaining("port 9") as string,
    });
  });

  it("says that there is no such pod", async () => {
    const opening = fixture.runtime.connect("none", 80, fixture.signal);
    await expect(opening).rejects.toMatchObject({ code: "NotRunning" });
  });

  it("lets the server know when the caller goes", async () => {
    const pod = await serving(7002, ["nc", "-l", "-p", "7002", "-e", "cat"]);
    const connection = await connect(pod, 7002);
    connection.write("x");
    await once(connection, "readable");
    connection.destroy();
    // It listens once, and cat ends with its input.
    await waitUntil("the server has ended", async () => {
      const [found] = await fixture.runtime.list(
        fixture.signal,
        new Set([pod.metadata?.uid ?? ""]),
      );
      return found?.state === "exited";
    });
  });

  it("cuts the connection to a server that takes no notice of a caller who goes", async () => {
    // While it sleeps it reads nothing, and keeps its end open.
    const deaf = "echo hello; exec sleep 100000";
    const pod = await serving(7003, ["nc", "-ll", "-p", "7003", "-e", "sh", "-c", deaf]);
    const connection = await connect(pod, 7003);
    await once(connection, "readable");
    expect(await relayRuns(pod)).toBe(true);
    connection.destroy();
    await waitUntil("no relay runs in the sandbox", async () => !(await relayRuns(pod)));
  });
});
