import type { Container, Pod } from "kubernetes-types/core/v1.js";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeEngines } from "../systems/describe-system.ts";
import { BUSYBOX } from "../systems/images.ts";
import { RuntimeFixture } from "./runtime-fixture.ts";

const container = (name: string, script: string, more: Partial<Container> = {}): Container => ({
  name,
  image: BUSYBOX,
  command: ["sh", "-c", script],
  ...more,
});
const SIZE = "df -k /dev/shm | tail -n 1 | tr -s ' ' | cut -d ' ' -f 2";

describeEngines("memory on a real engine", (engine) => {
  let fixture: RuntimeFixture;
  beforeAll(async () => {
    fixture = await RuntimeFixture.open(engine.host);
  });
  afterAll(async () => {
    await fixture[Symbol.asyncDispose]();
  });

  async function logOf(pod: Pod, one: Container, mounts: object[] = []): Promise<string> {
    const handle = await fixture.start(pod, one, { mounts: mounts as never });
    await fixture.ended(handle);
    return fixture.log(handle);
  }

  it("is shared by the containers of a pod at /dev/shm, as much as the engine gives", async () => {
    const writer = container("writer", `echo kept > /dev/shm/f; ${SIZE}`);
    const reader = container("reader", "cat /dev/shm/f");
    const pod = await fixture.pod([writer, reader]);
    // 64 MB in units of 1024 or of 1000, unless its administrator says otherwise.
    expect(Number(await logOf(pod, writer))).toBeGreaterThanOrEqual(64_000);
    expect(await logOf(pod, reader)).toBe("kept\n");
  });

  it("is more at /dev/shm where a pod mounts a volume of memory there", async () => {
    const mounts = [{ hostPath: "/unused", mountPath: "/dev/shm", readOnly: false, tmpfs: {} }];
    const volumeMounts = [{ name: "shm", mountPath: "/dev/shm" }];
    const writer = container("writer", `echo kept > /dev/shm/f; ${SIZE}`, { volumeMounts });
    const reader = container("reader", `cat /dev/shm/f`, { volumeMounts });
    const pod = await fixture.pod([writer, reader], {
      volumes: [{ name: "shm", emptyDir: { medium: "Memory", sizeLimit: "96Mi" } }],
    });
    expect(await logOf(pod, writer, mounts)).toBe("98304\n");
    expect(await logOf(pod, reader, mounts)).toBe("kept\n");
  });

  it("that ran out is told apart from a kill by somebody", async () => {
    const resources = { limits: { memory: "32Mi" } };
    const stays = container("stays", "exec sleep 1234", { resources });
    const pod = await fixture.pod([stays]);
    const handle = await fixture.start(pod, stays);
    await fixture.engine.json({
      method: "POST",
      path: `/containers/${handle.id}/kill`,
      query: { signal: "KILL" },
      signal: fixture.signal,
    });
    const ended = await fixture.ended(handle);
    expect(ended.exitCode).toBe(137);
    expect(ended.oomKilled).toBeUndefined();
    const eats = container("eats", "x=a; while true; do x=$x$x$x$x; done", { resources });
    const other = await fixture.pod([eats]);
    expect(await fixture.ended(await fixture.start(other, eats))).toMatchObject({
      exitCode: 137,
      oomKilled: true,
    });
  });

  it("is taken first from pods that asked for none when the machine has no more", async () => {
    const show = (requests?: Record<string, string>) =>
      container("main", "cat /proc/self/oom_score_adj", {
        ...(requests && { resources: { requests, limits: requests } }),
      });
    const score = async (one: Container) => Number(await logOf(await fixture.pod([one]), one));
    const { memory } = await fixture.runtime.capacity(fixture.signal);
    expect(await score(show())).toBe(1000);
    expect(await score(show({ memory: String(Math.floor(Number(memory) / 4)) }))).toBeGreaterThan(
      700,
    );
    expect(await score(show({ memory: String(Math.floor(Number(memory) / 4)) }))).toBeLessThan(800);
    // Guaranteed: as the engine's other containers.
    expect(await score(show({ cpu: "1", memory: "64Mi" }))).toBeLessThanOrEqual(0);
  });
});
