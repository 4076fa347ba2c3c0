import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import type { PodSpec } from "kubernetes-types/core/v1.js";
import { describe, expect, test } from "vitest";
import { hostCanMount, ProcessHarness, pod, shell } from "./testing/process-harness.ts";

const shared: Partial<PodSpec> = { volumes: [{ name: "shared", emptyDir: {} }] };

const canMount = await hostCanMount();

describe.skipIf(!canMount)("volumes in a mount namespace", () => {
  test.each(["/interlink-data", "/interlink-a/b/c", "/etc/interlink-config", "/opt/x", "/mnt"])(
    "appear at %s, shared by init and regular containers, and leave the host alone",
    async (mountPath) => {
      await using harness = await ProcessHarness.start();
      const existed = existsSync(mountPath);
      const volumeMounts = [{ name: "shared", mountPath }];
      const data = pod(
        randomUUID(),
        [shell("main", `cat ${mountPath}/file; ls -d /etc/passwd`, { volumeMounts })],
        {
          ...shared,
          initContainers: [shell("prepare", `echo hello >${mountPath}/file`, { volumeMounts })],
        },
      );
      const uid = await harness.run(data);
      expect(await harness.ended(uid, "main")).toMatchObject({ exitCode: 0 });
      expect(await harness.log(uid, "main")).toBe("hello\n/etc/passwd\n");
      expect(existsSync(mountPath)).toBe(existed);
    },
  );

  test("keep exit codes, environment, signals and working directory", async () => {
    await using harness = await ProcessHarness.start();
    const volumeMounts = [{ name: "shared", mountPath: "/interlink-data" }];
    const env = [
      { name: "TEXT", value: "a\nb $x" },
      { name: "UID", value: "odd" },
    ];
    const line = 'printf "%s|%s|%s" "$TEXT" "$(env | grep ^UID)" "$PWD"; kill -USR1 $$$$';
    const uid = await harness.run(
      pod(
        randomUUID(),
        [shell("main", line, { volumeMounts, env, workingDir: "/interlink-data" })],
        shared,
      ),
    );
    expect(await harness.ended(uid, "main")).toMatchObject({ exitCode: 138 });
    expect(await harness.log(uid, "main")).toBe("a\nb $x|UID=odd|/interlink-data");
  });

  test("can be read-only, single files, and lie in one another", async () => {
    await using harness = await ProcessHarness.start();
    const data = pod(
      randomUUID(),
      [
        shell("main", "cat /etc/passwd /data/sub/key; echo no >/data/sub/key || echo refused", {
          volumeMounts: [
            { name: "config", mountPath: "/etc/passwd", subPath: "key" },
            { name: "shared", mountPath: "/data" },
            { name: "config", mountPath: "/data/sub", readOnly: true },
          ],
        }),
      ],
      {
        volumes: [
          { name: "shared", emptyDir: {} },
          { name: "config", configMap: { name: "config" } },
        ],
      },
    );
    const config = { metadata: { name: "config" }, data: { key: "value\n" } };
    for (const container of data.container) container.configMaps.push(config);
    const uid = await harness.run(data);
    await harness.ended(uid, "main");
    const log = await harness.log(uid, "main");
    expect(log).toMatch(/^value\nvalue\n/);
    expect(log).toMatch(/refused\n$/);
  });

  test("are seen by commands of probes and hooks as well", async () => {
    await using harness = await ProcessHarness.start();
    const line =
      "while ! [ -e /interlink-data/hook ]; do sleep 0.05; done; cat /interlink-data/hook";
    const uid = await harness.run(
      pod(
        randomUUID(),
        [
          shell("main", line, {
            volumeMounts: [{ name: "shared", mountPath: "/interlink-data" }],
            env: [{ name: "WORD", value: "from the hook" }],
            lifecycle: {
              postStart: {
                exec: { command: ["sh", "-c", 'echo "$WORD" >/interlink-data/hook'] },
              },
            },
          }),
        ],
        shared,
      ),
    );
    expect(await harness.ended(uid, "main")).toMatchObject({ exitCode: 0 });
    expect(await harness.log(uid, "main")).toBe("from the hook\n");
  });
});

describe("volumes without mount namespaces", () => {
  test("are links below INTERLINK_VOLUMES, and the pod's owner is told", async () => {
    await using harness = await ProcessHarness.start({ namespaces: false });
    const volumeMounts = [{ name: "shared", mountPath: "/data/in" }];
    const data = pod(
      randomUUID(),
      [shell("main", 'cat "$INTERLINK_VOLUMES/data/in/file"', { volumeMounts })],
      {
        ...shared,
        initContainers: [
          shell("prepare", 'echo hello >"$INTERLINK_VOLUMES/data/in/file"', { volumeMounts }),
        ],
      },
    );
    const uid = await harness.run(data);
    expect(await harness.ended(uid, "main")).toMatchObject({ exitCode: 0 });
    expect(await harness.log(uid, "main")).toBe("hello\n");
    expect(harness.events).toContainEqual(
      expect.objectContaining({ type: "Warning", reason: "VolumesNotMounted", container: "main" }),
    );
  });
});

test("a volume of a kind that a host process cannot have is refused at once", async () => {
  await using harness = await ProcessHarness.start();
  const data = pod(randomUUID(), [shell("main", "true")], {
    volumes: [{ name: "disk", persistentVolumeClaim: { claimName: "c" } }],
  });
  await expect(harness.run(data)).rejects.toMatchObject({
    code: "rejected",
    message: expect.stringContaining('"disk" is of the kind persistentVolumeClaim'),
  });
});
