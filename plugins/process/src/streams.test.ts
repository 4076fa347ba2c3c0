import { randomUUID } from "node:crypto";
import { eventually } from "@interlink/plugin-sdk/testing";
import type { AttachRequest, ExecRequest, ProcessStreams } from "@interlink/protocol";
import { describe, expect, test } from "vitest";
import { ProcessHarness, pod, shell } from "./testing/process-harness.ts";

function request(uid: string, more: Partial<AttachRequest> = {}): AttachRequest {
  return {
    Namespace: "default",
    PodName: "pod",
    PodUID: uid,
    ContainerName: "main",
    Stdin: true,
    Stdout: true,
    Stderr: false,
    TTY: false,
    ...more,
  };
}

/** What has been read so far. */
function reading(streams: ProcessStreams): () => string {
  let text = "";
  streams.stdout?.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  return () => text;
}

async function attached(
  harness: ProcessHarness,
  uid: string,
  more: Partial<AttachRequest> = {},
): Promise<ProcessStreams> {
  const streams = await harness.provider.attach?.(request(uid, more), harness.signal);
  return streams ?? expect.fail("no attach");
}

async function execed(
  harness: ProcessHarness,
  uid: string,
  Command: string[],
  more: Partial<ExecRequest> = {},
): Promise<ProcessStreams> {
  const asked = { ...request(uid, more), Command };
  return (await harness.provider.exec?.(asked, harness.signal)) ?? expect.fail("no exec");
}

describe("a container with a terminal", () => {
  test("keeps it over a restart of the plugin, and is attached to again", async () => {
    await using harness = await ProcessHarness.start();
    const script = 'tty; while read -r line; do echo "got $line"; done';
    const main = shell("main", script, { stdin: true, tty: true });
    const uid = await harness.run(pod(randomUUID(), [main]));
    await harness.logContains(uid, "main", "/dev/pts/");
    await harness.provider.close?.();
    await harness.begin();
    const streams = await attached(harness, uid, { TTY: true });
    const read = reading(streams);
    streams.stdin?.write("still there\n");
    await eventually("it answers", () => read().includes("got still there\r\n"));
    expect(await harness.log(uid, "main")).toContain("got still there\r\n");
    streams.close();
  });

  test("gets its stop signal, and tells its own exit code", async () => {
    await using harness = await ProcessHarness.start();
    const script = "trap 'echo asked; exit 6' TERM; echo ready; while :; do sleep 0.05; done";
    const data = pod(randomUUID(), [shell("main", script, { tty: true })], {
      terminationGracePeriodSeconds: 20,
    });
    const uid = await harness.run(data);
    await harness.logContains(uid, "main", "ready");
    await harness.delete(data);
    await harness.isGone(uid);
    const last = harness.statuses.findLast(
      ({ UID, containers: [one] }) => UID === uid && one?.state?.terminated !== undefined,
    );
    expect(last?.containers[0]?.state?.terminated?.exitCode).toBe(6);
  });

  test("has the pod's variables as they are, those that steer perl included", async () => {
    await using harness = await ProcessHarness.start();
    const env = [
      { name: "PERL5OPT", value: "-MNoSuchModule" },
      { name: "LC_ALL", value: "xx_XX" },
      { name: "PERL_BADLANG", value: "1" },
    ];
    const script = 'echo "$PERL5OPT $LC_ALL $PERL_BADLANG"';
    const uid = await harness.run(pod(randomUUID(), [shell("main", script, { tty: true, env })]));
    expect((await harness.ended(uid, "main")).exitCode).toBe(0);
    expect(await harness.log(uid, "main")).toBe("-MNoSuchModule xx_XX 1\r\n");
  });

  test("has it in a mount namespace too, wherever its volumes are", async () => {
    await using harness = await ProcessHarness.start();
    const main = shell("main", 'read -r line; echo "$line $(ls /opt)"', {
      stdin: true,
      volumeMounts: [{ name: "v", mountPath: "/opt" }],
    });
    const data = pod(randomUUID(), [main], { volumes: [{ name: "v", emptyDir: {} }] });
    const uid = await harness.run(data);
    await harness.running(uid, "main");
    const streams = await attached(harness, uid);
    streams.stdin?.write("hello\n");
    expect((await harness.ended(uid, "main")).exitCode).toBe(0);
    expect(await harness.log(uid, "main")).toBe("hello \n");
    streams.close();
  });
});

describe("a container without an input", () => {
  test("takes what is sent to it without a word, and shows what it writes", async () => {
    await using harness = await ProcessHarness.start();
    const main = shell("main", "while :; do echo tick; sleep 0.05; done");
    const uid = await harness.run(pod(randomUUID(), [main]));
    await harness.running(uid, "main");
    const streams = await attached(harness, uid);
    const read = reading(streams);
    streams.stdin?.end("nobody reads this");
    await eventually("it shows", () => read().includes("tick\n"));
    streams.close();
    expect(await streams.ended).toEqual({ error: "the streams were closed" });
  });
});

describe("exec", () => {
  test("ends with its process, not with what that left behind", async () => {
    await using harness = await ProcessHarness.start();
    const uid = await harness.run(pod(randomUUID(), [shell("main", "sleep 1000")]));
    await harness.running(uid, "main");
    const streams = await execed(harness, uid, ["/bin/sh", "-c", "sleep 1000 & echo begun"]);
    const read = reading(streams);
    expect(await streams.ended).toEqual({ exitCode: 0 });
    expect(read()).toBe("begun\n");
  });

  test("ends when its container does", async () => {
    await using harness = await ProcessHarness.start();
    const script = "until [ -e done ]; do sleep 0.05; done";
    const uid = await harness.run(pod(randomUUID(), [shell("main", script)]));
    await harness.running(uid, "main");
    const streams = await execed(harness, uid, ["/bin/sh", "-c", "touch done; sleep 1000"]);
    streams.stdout?.resume();
    expect((await harness.ended(uid, "main")).exitCode).toBe(0);
    expect(await streams.ended).toEqual({ exitCode: 137 });
  });

  test("says why a command cannot be started", async () => {
    await using harness = await ProcessHarness.start();
    const uid = await harness.run(pod(randomUUID(), [shell("main", "sleep 1000")]));
    await harness.running(uid, "main");
    await expect(execed(harness, uid, ["no-such-command"])).rejects.toThrow(
      'exec: "no-such-command": executable file not found in $PATH',
    );
    const streams = await execed(harness, uid, ["no-such-command"], { TTY: true });
    const read = reading(streams);
    expect(await streams.ended).toEqual({ exitCode: 127 });
    expect(read()).toContain("No such file or directory");
  });
});

test("a command with a terminal sees its size from the start", async () => {
  await using harness = await ProcessHarness.start();
  const uid = await harness.run(pod(randomUUID(), [shell("main", "echo ready; exec sleep 1000")]));
  await harness.logContains(uid, "main", "ready");
  const streams = await execed(harness, uid, ["stty", "size"], {
    TTY: true,
    Size: { width: 121, height: 41 },
  });
  const read = reading(streams);
  expect(await streams.ended).toEqual({ exitCode: 0 });
  expect(read()).toBe("41 121\r\n");
});
