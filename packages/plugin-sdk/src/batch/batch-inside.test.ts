import { type ChildProcessWithoutNullStreams, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Container } from "kubernetes-types/core/v1.js";
import { describe, expect, test } from "vitest";
import { consoleInput, consoleScriptPath, endFrame, sizeFrame } from "../console/console.ts";
import { BatchJob, bareRuntime, batchPod, shell } from "../testing/batch-job.ts";
import { eventually } from "../testing/eventually.ts";
import { batchScriptPath } from "./batch-script.ts";
import type { BatchRuntime, BatchWord } from "./contract.ts";

const run = promisify(execFile);
const words = (...some: string[]): BatchWord[] => some.map((word) => [word]);
const UNSHARE = ["--user", "--map-root-user", "--mount", "--pid", "--fork", "--mount-proc"];
/** Containers with process numbers of their own, as Apptainer makes them for a user without rights. */
const namespaces: BatchRuntime = {
  ...bareRuntime,
  enter: true,
  run: (spec) => [...words("unshare", ...UNSHARE), ...bareRuntime.run(spec)],
  exec: (_spec, command) => words("echo", "beside", ...command),
};
const canUnshare = await run("unshare", [...UNSHARE, "nsenter", "--version"]).then(
  () => true,
  () => false,
);

async function startJob(
  script: string,
  rest: Partial<Container> = {},
  runtime = namespaces,
): Promise<BatchJob> {
  const pod = batchPod({ containers: [shell("main", script, rest)] }, { runtime });
  const job = await BatchJob.start(pod, {
    prepare: (directory) => copyFile(consoleScriptPath(), join(directory, "console.pl")),
  });
  // What it prints can be there before it is written down that it runs.
  await job.until("started main 0");
  return job;
}

/** A verb of the script, with what it writes. */
class Served {
  readonly child: ChildProcessWithoutNullStreams;
  output = "";

  constructor(job: BatchJob, ...args: string[]) {
    this.child = spawn("bash", ["-p", batchScriptPath(), job.directory, ...args], {
      env: { PATH: process.env["PATH"], SECRET_OF_THE_STEP: "x" },
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.on("data", (piece: Buffer) => {
        this.output += piece.toString();
      });
    }
  }

  async shows(text: string): Promise<string> {
    return eventually(
      `${JSON.stringify(text)} in ${JSON.stringify(this.output)}`,
      () => this.output.includes(text) && this.output,
    );
  }

  async end(): Promise<number | null> {
    if (this.child.exitCode === null) await once(this.child, "close");
    return this.child.exitCode;
  }
}

const shown = (job: BatchJob, text: string) =>
  eventually(`${text} in the log`, async () =>
    (await job.log("main").catch(() => "")).includes(text),
  );

describe.skipIf(!canUnshare)("a command inside a container that can be entered", () => {
  test("runs in it: its processes, directory and environment, and none of the step's", async () => {
    const env = [
      { name: "ODD.name 'x\\", value: "a 'b' \"c\" $HOME \\ \n${PATH}" },
      { name: "PLAIN", value: "" },
    ];
    const script =
      "cd /usr/lib; mount -t tmpfs none /mnt; echo here >/mnt/file; echo up; exec sleep 1000";
    await using job = await startJob(script, { env });
    await shown(job, "up");
    const served = new Served(
      job,
      "exec",
      "main",
      "bash",
      "-c",
      'pwd; cat /mnt/file; read -r -d "" name </proc/1/cmdline; echo "$name"; env -0 | sort -z | tr "\\0" "|"; exit 9',
    );
    expect(await served.end()).toBe(9);
    expect(served.output).toMatch(/^\/usr\/lib\nhere\nsleep\n/);
    expect(served.output).toContain("ODD.name 'x\\=a 'b' \"c\" $HOME \\ \n${PATH}|");
    expect(served.output).toContain("|PLAIN=|");
    expect(served.output).not.toMatch(/SECRET_OF_THE_STEP|il_/);
  });

  test("ends as it ends: by a signal, or not found", async () => {
    await using job = await startJob("echo up; exec sleep 1000");
    await shown(job, "up");
    const killed = new Served(job, "exec", "main", "sh", "-c", "kill -KILL $$");
    expect([await killed.end(), killed.child.signalCode]).toContainEqual(
      killed.child.signalCode === null ? 137 : "SIGKILL",
    );
    expect(await new Served(job, "exec", "main", "/no/such").end()).toBe(127);
  });

  test("is what probes do", async () => {
    await using job = await startJob(
      "mount -t tmpfs none /mnt; touch /mnt/ready; exec sleep 1000",
      { readinessProbe: { periodSeconds: 1, exec: { command: ["test", "-e", "/mnt/ready"] } } },
    );
    await job.until("ready main");
  });

  test("has a terminal that the container sees, of the size that it is told", async () => {
    await using job = await startJob(
      "mount -t devpts -o newinstance,ptmxmode=0666 none /dev/pts; echo up; exec sleep 1000",
    );
    await shown(job, "up");
    const script =
      'trap "echo interrupted" INT; tty; stty size; until [ "$(stty size)" = "41 121" ]; do sleep 0.1; done; until read -r x; do :; done; echo "got $x"; exit 5';
    const served = new Served(job, "terminal", "main", "24:80", "sh", "-c", script);
    await served.shows("24 80");
    expect(served.output).toMatch(/^\/dev\/pts\/0\r\n/);
    served.child.stdin.write(sizeFrame({ width: 121, height: 41 }));
    const input = consoleInput(served.child.stdin, endFrame());
    input.write("\x03");
    await served.shows("interrupted");
    input.write("typed\n");
    await served.shows("got typed");
    expect(await served.end()).toBe(5);
  });

  test("is not needed for its end: the first process is asked, once, and all go with it", async () => {
    const script =
      "trap 'echo asked; exit 3' TERM; (trap 'echo child' TERM; echo up; while :; do sleep 0.1; done) & while :; do sleep 0.1; done";
    await using job = await startJob(script);
    await shown(job, "up");
    job.terminate();
    expect(await job.end()).toBe(3);
    expect(await job.log("main")).toBe("up\nasked\n");
  });
});

describe("a container with an input", () => {
  test("takes what several write, to the end that it is told", async () => {
    const script = 'while read -r line; do echo "got $line"; done; echo over';
    await using job = await startJob(script, { stdin: true }, bareRuntime);
    await job.until("started main");
    const first = new Served(job, "input", "main");
    consoleInput(first.child.stdin, undefined).write("one\n");
    await shown(job, "got one");
    first.child.stdin.end();
    expect(await first.end()).toBe(0);
    const second = new Served(job, "input", "main");
    consoleInput(second.child.stdin, endFrame()).end("two\n");
    expect(await job.end()).toBe(0);
    expect(await job.log("main")).toBe("got one\ngot two\nover\n");
    second.child.stdin.end();
    await second.end();
  });

  test("that is a terminal is one", async () => {
    const script = 'tty; read -r line; echo "got $line"; exit 4';
    await using job = await startJob(script, { stdin: true, tty: true }, bareRuntime);
    await shown(job, "/dev/pts/");
    const served = new Served(job, "input", "main");
    consoleInput(served.child.stdin, undefined).write("typed\n");
    expect(await job.end()).toBe(4);
    expect(await job.log("main")).toContain("typed\r\ngot typed\r\n");
    served.child.stdin.end();
    await served.end();
  });

  test("is killed with its terminal when its grace is over", async () => {
    const script = "trap '' TERM HUP; echo pid=$$.; while :; do sleep 0.1; done";
    await using job = await startJob(script, { tty: true }, bareRuntime);
    await shown(job, ".");
    const pid = Number(/pid=(\d+)\./.exec(await job.log("main"))?.[1]);
    job.child.kill("SIGKILL");
    await eventually("it has gone", () => {
      try {
        process.kill(pid, 0);
        return false;
      } catch {
        return true;
      }
    });
  });

  test("that runs no more takes nothing", async () => {
    await using job = await startJob("sleep 1000", {}, bareRuntime);
    await job.until("started main");
    const served = new Served(job, "input", "main");
    expect(await served.end()).toBe(126);
    expect(served.output).toContain("container main takes no input");
  });
});

test("what containers use is written down when somebody asks", async () => {
  // The end of the other one wakes the script before its ten seconds are over.
  const containers = [shell("main", "while :; do :; done"), shell("other", "sleep 2")];
  await using job = await BatchJob.start(batchPod({ containers }));
  await job.until("started main");
  await run("touch", [join(job.directory, "usage-wanted")]);
  const line = await eventually(
    "a measurement",
    () => job.file("usage").catch(() => undefined),
    30_000,
  );
  const [name, attempt, seconds, ticks, kilobytes] = line.split("\n", 1)[0]?.split(" ") ?? [];
  expect([name, attempt]).toEqual(["main", "0"]);
  expect(Math.abs(Number(seconds) * 1000 - Date.now())).toBeLessThan(600_000);
  expect(Number(ticks)).toBeGreaterThanOrEqual(0);
  expect(Number(kilobytes)).toBeGreaterThan(100);
});
