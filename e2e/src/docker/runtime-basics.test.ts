import { randomUUID } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeEngines } from "../systems/describe-system.ts";
import { BUSYBOX, makeBusyboxImage, untagImage } from "../systems/images.ts";
import { waitUntil } from "../systems/wait-until.ts";
import { RuntimeFixture } from "./runtime-fixture.ts";

const sh = (script: string): { image: string; command: string[] } => ({
  image: BUSYBOX,
  command: ["sh", "-c", script],
});

describeEngines("single containers on a real engine", (engine) => {
  let fixture: RuntimeFixture;
  beforeAll(async () => {
    fixture = await RuntimeFixture.open(engine.host);
  });
  afterAll(async () => {
    await fixture[Symbol.asyncDispose]();
  });

  it("runs a command to its end and keeps its log", async () => {
    const { ended, log } = await fixture.run(sh("echo hello; echo problem >&2"));
    expect(ended).toMatchObject({
      state: "exited",
      exitCode: 0,
      containerName: "main",
      attempt: 0,
    });
    expect(ended.oomKilled).toBeUndefined();
    expect(Date.parse(ended.finishedAt ?? "")).toBeGreaterThanOrEqual(
      Date.parse(ended.startedAt ?? ""),
    );
    expect(log.split("\n").sort()).toEqual(["", "hello", "problem"]);
  });

  it("tells the exit code of a failing command", async () => {
    const { ended } = await fixture.run(sh("exit 42"));
    expect(ended.exitCode).toBe(42);
  });

  it("passes the environment on to the byte", async () => {
    const env = [
      { name: "QUOTES", value: `'"\`$(touch /tmp/x)\\` },
      { name: "LINES", value: "one\ntwo\n" },
      { name: "UNICODE", value: "grün 漢字 \u{1f600}" },
      { name: "EMPTY", value: "" },
      { name: "BLANKS", value: "  a  b  " },
      { name: "EQUALS", value: "a=b=c" },
    ];
    const { log } = await fixture.run({
      ...sh(env.map(({ name }) => `printf '%s\\0' "$${name}"`).join("; ")),
      env,
    });
    expect(log.split("\0").slice(0, -1)).toEqual(env.map(({ value }) => value));
  });

  it("works where the container says, and else where the image says", async () => {
    expect((await fixture.run({ ...sh("pwd"), workingDir: "/made/for it" })).log).toBe(
      "/made/for it\n",
    );
    expect((await fixture.run(sh("pwd"))).log).toBe("/\n");
  });

  it("passes arguments on to the byte", async () => {
    const args = ["a b", "'", '"', "$HOME", "`id`", "new\nline", "", "*", "; exit 3"];
    const { log } = await fixture.run({
      image: BUSYBOX,
      command: ["sh", "-c", 'printf "%s\\0" "$@"', "name", ...args],
    });
    expect(log.split("\0").slice(0, -1)).toEqual(args);
  });

  it("lets the containers of a pod talk over localhost, under the pod's name", async () => {
    const server = { name: "server", ...sh("echo served > /tmp/page; httpd -f -p 8080 -h /tmp") };
    const client = {
      name: "client",
      ...sh("until wget -q -O - http://127.0.0.1:8080/page; do usleep 50000; done; hostname"),
    };
    const pod = await fixture.pod([server, client]);
    await fixture.start(pod, server);
    const handle = await fixture.start(pod, client);
    expect((await fixture.ended(handle)).exitCode).toBe(0);
    expect(await fixture.log(handle)).toBe(`served\n${pod.metadata?.name}\n`);
    const address = await fixture.runtime.probeAddress(handle.uid, fixture.signal);
    expect(address).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
  });

  it("mounts directories and single files, read-only where asked for, and the termination message", async () => {
    const shared = join(fixture.folder, randomUUID());
    await mkdir(shared);
    const file = join(fixture.folder, randomUUID());
    await writeFile(file, "from a file\n");
    const { ended, handle } = await fixture.run(
      sh(
        "cat /etc/config/file > /data/copy && ! echo x 2>/dev/null > /etc/config/file && echo why > /dev/termination-log",
      ),
      {
        mounts: [
          { hostPath: shared, mountPath: "/data", readOnly: false },
          { hostPath: file, mountPath: "/etc/config/file", readOnly: true },
        ],
      },
    );
    expect(ended.exitCode).toBe(0);
    expect(await readFile(join(shared, "copy"), "utf8")).toBe("from a file\n");
    expect(handle.attempt).toBe(0);
  });

  it("shares an emptyDir in memory between containers, also after the first has ended", async () => {
    const volumeMounts = [{ name: "scratch", mountPath: "/scratch" }];
    const mounts = [
      { hostPath: "/unused", mountPath: "/scratch", readOnly: false, tmpfs: { sizeBytes: 65536 } },
    ];
    const writer = { name: "writer", ...sh("echo kept > /scratch/f"), volumeMounts };
    const reader = {
      name: "reader",
      ...sh(
        "cat /scratch/f; grep ' /scratch ' /proc/mounts; dd if=/dev/zero of=/scratch/big bs=128k count=1",
      ),
      volumeMounts,
    };
    const pod = await fixture.pod([writer, reader], {
      volumes: [{ name: "scratch", emptyDir: { medium: "Memory", sizeLimit: "64Ki" } }],
    });
    await fixture.ended(await fixture.start(pod, writer, { mounts }));
    const handle = await fixture.start(pod, reader, { mounts });
    expect((await fixture.ended(handle)).exitCode).not.toBe(0);
    expect(await fixture.log(handle)).toMatch(/^kept\ntmpfs \/scratch tmpfs rw/);
  });

  it("says when a container ran out of memory", async () => {
    const { ended } = await fixture.run({
      ...sh("x=a; while true; do x=$x$x$x$x; done"),
      resources: { limits: { memory: "16Mi" } },
    });
    expect(ended).toMatchObject({ exitCode: 137, oomKilled: true });
  });

  it("gives limits to the kernel", async () => {
    const { log } = await fixture.run({
      ...sh(
        "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/cpu/cpu.cfs_quota_us 2>/dev/null || cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/cpu.max",
      ),
      resources: { limits: { memory: "64Mi", cpu: "250m" } },
    });
    expect(log.split(/\s+/).slice(0, 2)).toEqual(["67108864", "25000"]);
  });

  it("runs as the user and the groups of the pod", async () => {
    const { log } = await fixture.run(
      sh("id -u; id -g; id -G; grep NoNewPrivs /proc/self/status; touch /x 2>&1"),
      {
        securityContext: {
          runAsUser: 1234,
          runAsGroup: 2345,
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
        },
      },
      { securityContext: { fsGroup: 3456 } },
    );
    expect(log).toMatch(
      /^1234\n2345\n2345 3456\nNoNewPrivs:\s+1\ntouch: .*Read-only file system\n$/,
    );
  });

  it("says that a command does not exist, and that it never ran", async () => {
    const container = { name: "main", image: BUSYBOX, command: ["/no/such/program"] };
    const pod = await fixture.pod([container]);
    const handle = await fixture.create(pod, container);
    await expect(fixture.runtime.startContainer(handle, fixture.signal)).rejects.toMatchObject({
      name: "RuntimeError",
      code: "StartFailed",
      exitCode: 127,
      message: expect.stringContaining("/no/such/program") as string,
    });
    expect(await fixture.find(handle)).toMatchObject({
      state: "exited",
      exitCode: 127,
      reason: "ContainerCannotRun",
      error: expect.stringContaining("/no/such/program") as string,
    });
  });

  it("makes and starts an attempt once, however often it is asked to", async () => {
    const container = { name: "main", ...sh("echo once") };
    const pod = await fixture.pod([container]);
    const [first, second] = await Promise.all([
      fixture.create(pod, container),
      fixture.create(pod, container),
    ]);
    expect(second.id).toBe(first.id);
    await Promise.all([
      fixture.runtime.startContainer(first, fixture.signal),
      fixture.runtime.startContainer(second, fixture.signal),
    ]);
    await fixture.ended(first);
    await fixture.runtime.startContainer(first, fixture.signal);
    await using later = await RuntimeFixture.open(engine.host, fixture.plugin);
    await later.runtime.startContainer(first, fixture.signal);
    expect((await fixture.find(first))?.state).toBe("exited");
    expect(await fixture.log(first)).toBe("once\n");
  });

  it("tells of starts and ends without being asked, and then knows of them", async () => {
    const states: (string | undefined)[] = [];
    const gate = join(fixture.folder, randomUUID());
    await mkdir(gate);
    const container = { name: "main", ...sh("while [ ! -e /gate/open ]; do usleep 20000; done") };
    const pod = await fixture.pod([container]);
    const uid = pod.metadata?.uid ?? "";
    const looks: Promise<void>[] = [];
    const end = fixture.runtime.onChange((change) => {
      if (change.uid !== uid) return;
      const look = async (): Promise<void> => {
        const [found] = await fixture.runtime.list(fixture.signal, new Set([uid]));
        states.push(found?.state);
      };
      looks.push(look());
    });
    await fixture.start(pod, container, {
      mounts: [{ hostPath: gate, mountPath: "/gate", readOnly: true }],
    });
    // Nobody asks but when told: each change that is told must show.
    await waitUntil("the start is told", () => states.includes("running"));
    await writeFile(join(gate, "open"), "");
    await waitUntil("the end is told", () => states.includes("exited"));
    end();
    await Promise.all(looks);
  });

  describe("ENTRYPOINT and CMD of the image", () => {
    const image = `interlink-test-${randomUUID()}:latest`;
    beforeAll(async () => {
      await makeBusyboxImage(fixture.engine, image, [
        'ENTRYPOINT ["/bin/echo", "image-entry"]',
        'CMD ["image-cmd"]',
      ]);
    });
    afterAll(async () => {
      await untagImage(fixture.engine, image);
    });

    it.each([
      ["neither", undefined, undefined, "image-entry image-cmd"],
      ["args", undefined, ["a", "b"], "image-entry a b"],
      ["command", ["/bin/echo", "mine"], undefined, "mine"],
      ["both", ["/bin/echo", "mine"], ["a"], "mine a"],
      ["empty lists", [], [], "image-entry image-cmd"],
    ])("give way to %s", async (_, command, args, output) => {
      const { log } = await fixture.run({
        image,
        ...(command && { command }),
        ...(args && { args }),
      });
      expect(log).toBe(`${output}\n`);
    });
  });

  it("refuses root where the pod forbids it", async () => {
    const container = { name: "main", ...sh("true") };
    const pod = await fixture.pod([container], { securityContext: { runAsNonRoot: true } });
    await expect(fixture.create(pod, container)).rejects.toMatchObject({
      code: "InvalidConfig",
      message: `container has runAsNonRoot and image will run as root (pod: "${pod.metadata?.name}_default(${pod.metadata?.uid})", container: main)`,
    });
  });

  it("runs commands in a running container", async () => {
    const container = { name: "main", ...sh("sleep 1000") };
    const pod = await fixture.pod([container]);
    const handle = await fixture.start(pod, container);
    const exec = (...argv: string[]): Promise<unknown> =>
      fixture.runtime.exec(handle, argv, { maxOutputBytes: 8 }, fixture.signal);
    expect(await exec("sh", "-c", "echo out; exit 3")).toEqual({ exitCode: 3, output: "out\n" });
    expect(await exec("sh", "-c", "yes | head -100000")).toEqual({
      exitCode: 0,
      output: "y\ny\ny\ny\n",
    });
    expect(await exec("/no/such")).toMatchObject({
      exitCode: expect.toSatisfy((code) => code >= 126) as number,
    });
    await fixture.runtime.stopContainer(handle, 0, fixture.signal);
    await expect(exec("true")).rejects.toMatchObject({ code: "NotRunning" });
  });
});
