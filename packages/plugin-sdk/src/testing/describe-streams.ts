import { randomBytes } from "node:crypto";
import { type AddressInfo, createServer } from "node:net";
import type { Readable, Writable } from "node:stream";
import type {
  AttachRequest,
  ContainerStats,
  ProcessEnd,
  ProcessStreams,
  RetrievedPodData,
} from "@interlink/protocol";
import type { Container, ContainerStatus, PodSpec } from "kubernetes-types/core/v1.js";
import { describe, expect, test } from "vitest";
import type { Provider } from "../provider.ts";
import { eventually } from "./eventually.ts";
import { bytesOf } from "./fake-process.ts";

/** Which streams a provider offers; the suite leaves out what it does not. */
export interface StreamCapabilities {
  exec?: boolean;
  attach?: boolean;
  stats?: boolean;
  /** A terminal that is let go hangs up on its process. */
  hangsUp?: boolean;
  /** A container's input ends with the first caller who leaves, whatever `stdinOnce` says, as with Podman. */
  inputEndsWithFirstCaller?: boolean;
  /** Feature `port-forward`: a command that listens on this port, gives back every byte, and ends when the caller has. */
  echoServer?: (port: number) => string[];
}

/** What the suite has of `describeProvider`. */
export interface StreamSuite {
  provider: () => Provider;
  shell: (script: string, rest?: Partial<Container>) => Container;
  podOf: (script: string, spec?: Partial<PodSpec>) => RetrievedPodData;
  create: (data: RetrievedPodData) => Promise<unknown>;
  remove: (data: RetrievedPodData) => Promise<void>;
  until: (data: RetrievedPodData, state: "running" | "terminated") => Promise<ContainerStatus>;
  patienceMs: number;
  /** Where volumes may be mounted; `undefined` if they cannot. */
  mountRoot: string | undefined;
}

const signal = new AbortController().signal;

/** The promises of `Provider` about interactive streams and statistics. */
export function describeStreams(suite: StreamSuite, capabilities: StreamCapabilities): void {
  const { podOf, create, remove, until, shell, patienceMs } = suite;

  const started = async (data: RetrievedPodData): Promise<RetrievedPodData> => {
    await create(data);
    await until(data, "running");
    return data;
  };
  const request = (data: RetrievedPodData, more: Partial<AttachRequest> = {}): AttachRequest => ({
    Namespace: data.pod.metadata?.namespace ?? "default",
    PodName: data.pod.metadata?.name ?? "",
    PodUID: data.pod.metadata?.uid ?? "",
    ContainerName: "main",
    Stdin: true,
    Stdout: true,
    Stderr: more.TTY !== true,
    TTY: false,
    ...more,
  });
  const exec = async (
    data: RetrievedPodData,
    Command: string[],
    more: Partial<AttachRequest> = {},
  ): Promise<ProcessStreams> => {
    const streams = await suite.provider().exec?.({ ...request(data, more), Command }, signal);
    return streams ?? expect.fail("it offers exec and has none");
  };
  const attach = async (
    data: RetrievedPodData,
    more: Partial<AttachRequest> = {},
  ): Promise<ProcessStreams> => {
    const streams = await suite.provider().attach?.(request(data, more), signal);
    return streams ?? expect.fail("it offers attach and has none");
  };
  /** What a command writes when it gets nothing, and its end. */
  const run = async (
    data: RetrievedPodData,
    command: string[],
    input: string | Buffer = "",
  ): Promise<{ stdout: Buffer; stderr: string; end: ProcessEnd }> => {
    const streams = await exec(data, command);
    const [stdout, stderr] = await Promise.all([
      bytesOf(streams.stdout),
      bytesOf(streams.stderr),
      written(streams.stdin, Buffer.from(input)),
    ]);
    return { stdout, stderr: stderr.toString(), end: await streams.ended };
  };
  /** Reads until the text has come; what was read is kept for the next question. */
  const reader = (stream: Readable | undefined): ((text: string) => Promise<string>) => {
    let read = "";
    stream?.on("data", (chunk: Buffer) => {
      read += chunk.toString();
    });
    return (text) =>
      eventually(`${JSON.stringify(text)} is read`, () => read.includes(text) && read, patienceMs);
  };

  if (capabilities.exec) {
    describe("exec", () => {
      test("gives the process its input, keeps its outputs apart, and tells its exit code", async () => {
        const data = await started(podOf("sleep 1000"));
        const script = "cat; echo to stderr >&2; exit 7";
        const { stdout, stderr, end } = await run(data, ["/bin/sh", "-c", script], "typed\n");
        expect(stdout.toString()).toBe("typed\n");
        expect(stderr).toBe("to stderr\n");
        expect(end).toEqual({ exitCode: 7 });
      });

      test("carries ten megabytes of any bytes unchanged, both ways", async () => {
        const data = await started(podOf("sleep 1000"));
        const sent = Buffer.concat([
          Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)),
          randomBytes(10 * 1024 * 1024),
        ]);
        const { stdout, end } = await run(data, ["cat"], sent);
        expect(stdout.equals(sent)).toBe(true);
        expect(end).toEqual({ exitCode: 0 });
      });

      test("runs the words as they are, without a shell", async () => {
        const data = await started(podOf("sleep 1000"));
        const { stdout } = await run(data, ["printf", "%s|", "a b", "$HOME", "'\"", "", "é\n"]);
        expect(stdout.toString()).toBe("a b|$HOME|'\"||é\n|");
      });

      test("runs where the container's process runs", async () => {
        const main = shell("sleep 1000", {
          workingDir: "/tmp",
          env: [{ name: "GREETING", value: "hello  there" }],
        });
        const data = await started(podOf("", { containers: [main] }));
        const { stdout } = await run(data, ["/bin/sh", "-c", 'pwd; echo "$GREETING"']);
        expect(stdout.toString()).toBe("/tmp\nhello  there\n");
      });

      const { mountRoot } = suite;
      if (mountRoot !== undefined) {
        test("sees the container's volumes", async () => {
          const mountPath = `${mountRoot}/scratch`;
          const main = shell(`echo inside >${mountPath}/file; sleep 1000`, {
            volumeMounts: [{ name: "scratch", mountPath }],
          });
          const volumes = [{ name: "scratch", emptyDir: {} }];
          const data = await started(podOf("", { containers: [main], volumes }));
          const file = `${mountPath}/file`;
          const script = `until [ -s ${file} ]; do sleep 0.1; done; cat ${file}`;
          const { stdout } = await run(data, ["/bin/sh", "-c", script]);
          expect(stdout.toString()).toBe("inside\n");
        });
      }

      test("gives the process a terminal, and it hears of a new size", async () => {
        const data = await started(podOf("sleep 1000"));
        const script =
          'tty; until [ "$(stty size)" = "41 121" ]; do sleep 0.1; done; echo sized; read -r line; echo "read $line"; exit 3';
        const streams = await exec(data, ["/bin/sh", "-c", script], { TTY: true });
        const shown = reader(streams.stdout);
        expect(await shown("\r\n")).toMatch(/^\/dev\//);
        streams.resize({ width: 121, height: 41 });
        await shown("sized\r\n");
        streams.stdin?.write("typed\n");
        // What is typed is shown as well.
        expect(await shown("read typed")).toContain("typed\r\n");
        expect(await streams.ended).toEqual({ exitCode: 3 });
      });

      test("passes on what a terminal's keys mean", async () => {
        const data = await started(podOf("sleep 1000"));
        const script = "trap 'exit 9' INT; echo ready; while :; do sleep 0.1; done";
        const streams = await exec(data, ["/bin/sh", "-c", script], { TTY: true });
        await reader(streams.stdout)("ready");
        streams.stdin?.write("\x03");
        expect(await streams.ended).toEqual({ exitCode: 9 });
      });

      if (capabilities.hangsUp) {
        test("hangs up on a process whose terminal is let go", async () => {
          const data = await started(podOf("sleep 1000"));
          const script = 'echo "pid=$$."; while :; do sleep 0.1; done';
          const streams = await exec(data, ["/bin/sh", "-c", script], { TTY: true });
          const pid = /pid=(\d+)\./.exec(await reader(streams.stdout)("."))?.[1] ?? "";
          streams.close();
          await eventually(
            "the process has gone",
            async () => {
              const { end } = await run(data, ["/bin/sh", "-c", `kill -0 ${pid}`]);
              return !("exitCode" in end && end.exitCode === 0);
            },
            patienceMs,
          );
        });
      }

      test("ends when its pod is deleted", async () => {
        const data = await started(podOf("sleep 1000"));
        const streams = await exec(data, ["sleep", "1000"]);
        streams.stdout?.resume();
        streams.stderr?.resume();
        await remove(data);
        await streams.ended;
      });

      test("is refused, before it begins, for what does not run", async () => {
        const data = await started(podOf("sleep 1000"));
        const ended = podOf("exit 0");
        await create(ended);
        await until(ended, "terminated");
        await expect(exec(data, ["true"], { ContainerName: "nope" })).rejects.toMatchObject({
          code: "not-found",
          message: 'container not found ("nope")',
        });
        await expect(exec(ended, ["true"])).rejects.toMatchObject({
          code: "not-found",
          message: 'container not found ("main")',
        });
        await expect(exec(data, ["true"], { PodUID: "nobody" })).rejects.toMatchObject({
          code: "not-found",
          message: "pod does not exist",
        });
      });

      test("of a command that does not exist is an error or the code of a shell, never a success", async () => {
        const data = await started(podOf("sleep 1000"));
        const end = await run(data, ["/no/such/command"]).then(
          (done) => done.end,
          (error: Error) => ({ error: error.message }),
        );
        expect(["exitCode" in end && end.exitCode >= 126, "error" in end]).toContain(true);
      });
    });
  }

  if (capabilities.attach) {
    describe("attach", () => {
      const talking = 'while read -r line; do echo "got $line"; done; echo over';

      test("shows several what the container writes from now on, and takes their input", async () => {
        const main = shell(`echo before; ${talking}`, { stdin: true });
        const data = await started(podOf("", { containers: [main] }));
        const both = [await attach(data), await attach(data)];
        const shown = both.map(({ stdout }) => reader(stdout));
        both[0]?.stdin?.write("one\n");
        for (const text of shown) expect(await text("got one\n")).not.toContain("over");
        // One leaves; its input was not the last.
        both[0]?.stdin?.end();
        both[0]?.close();
        if (capabilities.inputEndsWithFirstCaller) {
          await shown[1]?.("over\n");
          return;
        }
        both[1]?.stdin?.write("two\n");
        await shown[1]?.("got two\n");
        expect((await until(data, "running")).restartCount).toBe(0);
        both[1]?.close();
      });

      test("ends the input of a container that takes it once, and ends with it", async () => {
        const main = shell(`${talking}; exit 4`, { stdin: true, stdinOnce: true });
        const data = await started(podOf("", { containers: [main] }));
        const streams = await attach(data);
        streams.stderr?.resume();
        const shown = reader(streams.stdout);
        streams.stdin?.end("only\n");
        expect(await shown("over\n")).toBe("got only\nover\n");
        expect(await streams.ended).not.toHaveProperty("error");
        expect((await until(data, "terminated")).state?.terminated?.exitCode).toBe(4);
      });

      test("reaches the terminal of a container that has one", async () => {
        const script =
          'until [ "$(stty size)" = "41 121" ]; do sleep 0.1; done; tty; read -r line; echo "read $line"';
        const main = shell(script, { stdin: true, tty: true });
        const data = await started(podOf("", { containers: [main] }));
        const streams = await attach(data, { TTY: true });
        const shown = reader(streams.stdout);
        streams.resize({ width: 121, height: 41 });
        await shown("/dev/");
        streams.stdin?.write("typed\n");
        await shown("read typed\r\n");
        expect(await streams.ended).not.toHaveProperty("error");
      });

      test("is refused for what does not run", async () => {
        const ended = podOf("exit 0");
        await create(ended);
        await until(ended, "terminated");
        await expect(attach(ended)).rejects.toMatchObject({
          code: "not-found",
          message: 'container not found ("main")',
        });
      });
    });
  }

  const { echoServer } = capabilities;
  if (echoServer !== undefined) {
    describe("port-forward", () => {
      test("connects to the pod, carries any bytes both ways, and ends each way by itself", async () => {
        const port = await freePort();
        const main = shell("", { command: echoServer(port) });
        const data = await started(podOf("", { containers: [main] }));
        const connection = await eventually(
          "the pod listens",
          () =>
            suite
              .provider()
              .portForward?.({ ...request(data), Port: port }, signal)
              .catch(() => undefined),
          patienceMs,
        );
        const sent = randomBytes(3 * 1024 * 1024);
        const [received] = await Promise.all([bytesOf(connection), written(connection, sent)]);
        expect(received.equals(sent)).toBe(true);
      });

      test("is refused where nothing listens, and for a pod that is not here", async () => {
        const data = await started(podOf("sleep 1000"));
        const forward = (PodUID: string, Port: number) =>
          suite.provider().portForward?.({ ...request(data), PodUID, Port }, signal);
        await expect(
          forward(data.pod.metadata?.uid ?? "", await freePort()),
        ).rejects.toHaveProperty("message");
        await expect(forward("nobody", 80)).rejects.toMatchObject({ code: "not-found" });
      });
    });
  }

  if (capabilities.stats) {
    describe("stats", () => {
      test("tell what a running container uses, and leave out one that has ended", async () => {
        const busy = await started(podOf("while :; do :; done"));
        const ended = podOf("exit 0");
        await create(ended);
        await until(ended, "terminated");
        const uid = busy.pod.metadata?.uid;
        const sample = async (): Promise<ContainerStats | undefined> => {
          const answer = await suite.provider().stats?.(signal);
          const pods = answer?.pods ?? [];
          expect(pods.map(({ podRef }) => podRef.uid)).not.toContain(ended.pod.metadata?.uid);
          const pod = pods.find(({ podRef }) => podRef.uid === uid);
          expect(pod?.podRef.name ?? busy.pod.metadata?.name).toBe(busy.pod.metadata?.name);
          return pod?.containers.find(({ name }) => name === "main");
        };
        const first = await eventually("it is measured", sample, patienceMs);
        const used = first.cpu?.usageCoreNanoSeconds ?? 0;
        expect(first.memory?.workingSetBytes).toBeGreaterThan(0);
        expect(Number.isNaN(Date.parse(first.startTime))).toBe(false);
        const later = await eventually(
          "it has used more, at a rate",
          async () => {
            const { cpu } = (await sample()) ?? {};
            const isMore = (cpu?.usageCoreNanoSeconds ?? 0) > used;
            return isMore && (cpu?.usageNanoCores ?? 0) > 0 && cpu;
          },
          patienceMs,
        );
        expect(Date.parse(later.time)).toBeGreaterThan(0);
      });
    });
  }
}

/** Writes no faster than it is taken, then ends. */
async function written(stream: Writable | undefined, data: Buffer): Promise<void> {
  const piece = 100_000;
  for (let at = 0; at < data.length; at += piece) {
    if (stream?.write(data.subarray(at, at + piece)) === false) {
      await new Promise((resolve) => stream.once("drain", resolve));
    }
  }
  stream?.end();
}

/** A port of this host where nothing listens. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
