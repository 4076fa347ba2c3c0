import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { eventually } from "@interlink/plugin-sdk/testing";
import type { Lifecycle } from "kubernetes-types/core/v1.js";
import { describe, expect, test } from "vitest";
import { ProcessHarness, pod, processesOf, shell } from "./testing/process-harness.ts";

describe("a pod on the process plugin", () => {
  test("runs its command and shows its log and exit code", async () => {
    await using harness = await ProcessHarness.start();
    const uid = await harness.run(
      pod(randomUUID(), [shell("main", "echo out; echo err >&2; exit 42")]),
    );
    const end = await harness.ended(uid, "main");
    expect(end).toMatchObject({ exitCode: 42, reason: "Error" });
    expect(end.containerID).toMatch(/^process:\/\//);
    expect(await harness.log(uid, "main")).toBe("out\nerr\n");
    expect(harness.events.map(({ reason }) => reason)).toEqual(["Created", "Started"]);
  });

  test("that asks for a RuntimeClass waits, and says why", async () => {
    await using harness = await ProcessHarness.start();
    const spec = { runtimeClassName: "gvisor" };
    await harness.run(pod(randomUUID(), [shell("main", "exit 0")], spec));
    const event = await eventually("the event", () =>
      harness.events.find(({ reason }) => reason === "FailedCreatePodSandBox"),
    );
    expect(event.message).toContain('RuntimeClass "gvisor" names a container runtime');
    expect(harness.events.map(({ reason }) => reason)).not.toContain("Created");
  });

  test.each([
    ["TERM", 143],
    ["KILL", 137],
    ["INT", 130],
    ["SEGV", 139],
    // Kubernetes makes `$$` of `$$$$`.
  ])("that dies of SIG%s ends with %i", async (signal, exitCode) => {
    await using harness = await ProcessHarness.start();
    const uid = await harness.run(pod(randomUUID(), [shell("main", `kill -${signal} $$$$`)]));
    expect(await harness.ended(uid, "main")).toMatchObject({ exitCode });
    // What bash has to say about it is no part of the log.
    expect(await harness.log(uid, "main")).toBe("");
  });

  test("that is halted and goes on has not ended in between", async () => {
    await using harness = await ProcessHarness.start();
    const line = "(sleep 0.3; kill -CONT $$$$) & kill -STOP $$$$; wait; echo on; exit 4";
    const uid = await harness.run(pod(randomUUID(), [shell("main", line)]));
    expect(await harness.ended(uid, "main")).toMatchObject({ exitCode: 4 });
    expect(await harness.log(uid, "main")).toBe("on\n");
  });

  test("gets its environment byte for byte, and nothing of the plugin's", async () => {
    await using harness = await ProcessHarness.start();
    const env = [
      { name: "LINES_OF_TEXT", value: "one\ntwo\n" },
      { name: "QUOTES", value: `"double" 'single' \`back\` \\ $HOME $(id) %s` },
      { name: "UNICODE", value: "grüße ☃" },
      { name: "EMPTY", value: "" },
      { name: "with.dots-and-dashes", value: "kept" },
      { name: "BASH_ENV", value: "/dev/null" },
      { name: "SHELLOPTS", value: "xtrace" },
      { name: "UID", value: "not a number" },
      { name: "PWD", value: "/elsewhere" },
      { name: "PS4", value: "$(touch pwned)" },
      { name: "__proto", value: "x" },
    ];
    const script = "process.stdout.write(JSON.stringify(process.env))";
    const container = { name: "main", command: [process.execPath, "-e", script], env };
    const uid = await harness.run(pod(randomUUID(), [container]));
    await harness.ended(uid, "main");
    const seen = JSON.parse(await harness.log(uid, "main")) as Record<string, string>;
    for (const { name, value } of env) expect([name, seen[name]]).toEqual([name, value]);
    const added = Object.keys(seen).filter(
      // `_` is bash's; env(1) and most programs pass it on.
      (name) => name !== "_" && env.every((own) => own.name !== name),
    );
    expect(added.sort()).toEqual([
      "HOME",
      "HOSTNAME",
      "INTERLINK_CONTAINER",
      "INTERLINK_TERMINATION_LOG",
      "PATH",
    ]);
  });

  test("gets its arguments byte for byte", async () => {
    await using harness = await ProcessHarness.start();
    const words = ["", "a b", "line\nbreak", "$HOME", "`id`", "*", "--", "'\"\\"];
    const script = "process.stdout.write(JSON.stringify(process.argv.slice(1)))";
    const container = { name: "main", command: [process.execPath, "-e", script], args: words };
    // node takes the first `--` for itself
    container.args = ["--", ...words];
    const uid = await harness.run(pod(randomUUID(), [container]));
    await harness.ended(uid, "main");
    expect(JSON.parse(await harness.log(uid, "main"))).toEqual(words);
  });

  test("does not show its environment in a process list", async () => {
    await using harness = await ProcessHarness.start();
    const secret = `secret-${randomUUID()}`;
    const uid = await harness.run(
      pod(randomUUID(), [shell("main", "sleep 60", { env: [{ name: "TOKEN", value: secret }] })]),
    );
    await harness.running(uid, "main");
    const pids = await eventually("its processes", async () => {
      const found = await processesOf(harness.root);
      return found.length > 1 && found;
    });
    for (const pid of pids) {
      const line = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
      expect(line).not.toContain(secret);
    }
  });

  test("with more environment than a process may have ends in words", async () => {
    await using harness = await ProcessHarness.start();
    const env = [{ name: "LARGE", value: "x".repeat(200_000) }];
    const uid = await harness.run(pod(randomUUID(), [shell("main", "exit 0", { env })]));
    expect(await harness.ended(uid, "main")).toMatchObject({
      exitCode: 128,
      reason: "StartError",
      message: expect.stringContaining("larger than this system lets") as string,
    });
  });

  test("without a command runs its args, as in an image without ENTRYPOINT", async () => {
    await using harness = await ProcessHarness.start();
    const args = ["sh", "-c", "exit 5"];
    const uid = await harness.run(pod(randomUUID(), [{ name: "main", image: "busybox", args }]));
    expect(await harness.ended(uid, "main")).toMatchObject({ exitCode: 5 });
  });

  test("without command and args is refused in words", async () => {
    await using harness = await ProcessHarness.start();
    const uid = await harness.run(pod(randomUUID(), [{ name: "main", image: "busybox" }]));
    const waiting = await eventually("it waits", async () => {
      const { state } = (await harness.container(uid, "main")) ?? {};
      return state?.waiting?.reason === "CreateContainerError" && state.waiting;
    });
    expect(waiting.message).toMatch(/no images.*give the container "main" a command/);
  });

  test.each([
    ["no-such-program", 127, 'exec: "no-such-program": executable file not found in $PATH'],
    ["/etc/passwd", 126, 'exec: "/etc/passwd": permission denied'],
  ])("whose command is %s fails to start with %i", async (command, exitCode, message) => {
    await using harness = await ProcessHarness.start();
    const uid = await harness.run(pod(randomUUID(), [{ name: "main", command: [command] }]));
    const end = await harness.ended(uid, "main");
    expect(end).toMatchObject({ exitCode, reason: "StartError", message });
  });

  test("runs two containers side by side, each with its own log and end", async () => {
    await using harness = await ProcessHarness.start();
    const uid = await harness.run(
      pod(randomUUID(), [shell("one", "echo 1"), shell("two", "echo 2; exit 2")]),
    );
    expect((await harness.ended(uid, "one")).exitCode).toBe(0);
    expect((await harness.ended(uid, "two")).exitCode).toBe(2);
    expect(await harness.log(uid, "one")).toBe("1\n");
    expect(await harness.log(uid, "two")).toBe("2\n");
  });

  test("restarts a failing container and keeps the log of the attempt before", async () => {
    await using harness = await ProcessHarness.start();
    const marker = join(harness.root, "was-here");
    const line = `if [ -e ${marker} ]; then echo second; sleep 60; fi; : >${marker}; echo first; exit 1`;
    const uid = await harness.run(
      pod(randomUUID(), [shell("main", line)], { restartPolicy: "OnFailure" }),
    );
    await harness.logContains(uid, "main", "second");
    const container = await harness.container(uid, "main");
    expect(container?.restartCount).toBe(1);
    expect(container?.lastState?.terminated?.exitCode).toBe(1);
    expect(await harness.log(uid, "main", { Previous: true })).toBe("first\n");
  });

  test("says what it wrote to its termination log", async () => {
    await using harness = await ProcessHarness.start();
    const line = 'printf "no more disk" >"$INTERLINK_TERMINATION_LOG"; exit 1';
    const uid = await harness.run(pod(randomUUID(), [shell("main", line)]));
    expect((await harness.ended(uid, "main")).message).toBe("no more disk");
  });
});

describe("deleting a pod on the process plugin", () => {
  test("gives the stop signal, and removes everything", async () => {
    await using harness = await ProcessHarness.start();
    const line = 'trap "echo bye; exit 7" TERM; echo ready; while :; do sleep 0.05; done';
    const data = pod(randomUUID(), [shell("main", line)]);
    const uid = await harness.run(data);
    await harness.logContains(uid, "main", "ready");
    await harness.delete(data);
    await harness.isGone(uid);
    expect(harness.statuses.at(-1)?.containers[0]?.state?.terminated?.exitCode).toBe(7);
    expect(await processesOf(harness.root)).toEqual([]);
  });

  test("gives the stop signal that the container asks for, also one that has only a number", async () => {
    await using harness = await ProcessHarness.start();
    const lifecycle = { stopSignal: "SIGRTMIN+2" } as Lifecycle;
    const line = 'trap "exit 9" RTMIN+2; echo ready; while :; do sleep 0.05; done';
    const command = ["/bin/bash", "-c", line];
    const data = pod(randomUUID(), [{ name: "main", command, lifecycle }]);
    const uid = await harness.run(data);
    await harness.logContains(uid, "main", "ready");
    await harness.delete(data, 600);
    await harness.isGone(uid);
    const last = harness.statuses.at(-1)?.containers[0]?.state?.terminated;
    expect(last).toMatchObject({ exitCode: 9 });
  });

  test("gives the stop signal to its first process alone, as engines do", async () => {
    await using harness = await ProcessHarness.start();
    const child = `(trap 'echo child asked' TERM; while :; do sleep 0.05; done) &`;
    const line = `${child} trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.05; done`;
    const data = pod(randomUUID(), [shell("main", line)]);
    const uid = await harness.run(data);
    await harness.logContains(uid, "main", "ready");
    const log = harness.log(uid, "main", { Follow: true });
    await harness.delete(data);
    await harness.isGone(uid);
    expect(await log).toBe("ready\nbye\n");
    expect(await processesOf(harness.root)).toEqual([]);
  });

  test("kills what ignores the stop signal, with its children, once the grace is over", async () => {
    await using harness = await ProcessHarness.start();
    const line =
      'trap "" TERM; (setsid sh -c "trap \\"\\" TERM; sleep 61; :" &); sleep 62 & echo ready; while :; do sleep 1; done';
    const data = pod(randomUUID(), [shell("main", line)]);
    const uid = await harness.run(data);
    await harness.logContains(uid, "main", "ready");
    await harness.delete(data, 1);
    await harness.isGone(uid);
    expect(harness.statuses.at(-1)?.containers[0]?.state?.terminated?.exitCode).toBe(137);
    expect(await processesOf(harness.root)).toEqual([]);
  });

  test("with a shorter grace shortens a delete that waits", async () => {
    await using harness = await ProcessHarness.start();
    const data = pod(randomUUID(), [
      shell("main", 'trap "" TERM; echo ready; while :; do sleep 0.1; done'),
    ]);
    const uid = await harness.run(data);
    await harness.logContains(uid, "main", "ready");
    await harness.delete(data, 600);
    await eventually("it is being deleted", () => harness.statuses.at(-1)?.extension?.deleting);
    await harness.delete(data, 0);
    await harness.isGone(uid);
  });

  test("leaves nothing of a pod whose container has ended with a child still running", async () => {
    await using harness = await ProcessHarness.start();
    const uid = await harness.run(pod(randomUUID(), [shell("main", "setsid sleep 63 & exit 0")]));
    await harness.ended(uid, "main");
    await eventually("nothing runs", async () => (await processesOf(harness.root)).length === 0);
  });
});
