import { lstat, mkdir, readFile, symlink } from "node:fs/promises";
import { join } from "node:path";
import type { Container, PodSpec } from "kubernetes-types/core/v1.js";
import { describe, expect, test } from "vitest";
import { bareRuntime } from "../testing/batch-job.ts";
import { podData } from "../testing/pod-data.ts";
import { temporaryDirectory } from "../testing/temporary-directory.ts";
import { batchScriptPath } from "./batch-script.ts";
import type { BatchContainerSpec, PlanBatchPodOptions } from "./contract.ts";
import { healthRequest, printable } from "./health-request.ts";
import { packBatchPod } from "./pack-batch-pod.ts";
import { planBatchPod } from "./plan-batch-pod.ts";
import { readBatchRecords } from "./read-batch-records.ts";
import { writeBatchPod } from "./write-batch-pod.ts";

const UID = "5f0c3f6e-0000-4000-8000-000000000001";
const plan = (spec: Partial<PodSpec>, rest: Partial<PlanBatchPodOptions> = {}) =>
  planBatchPod({ data: podData(UID, spec), runtime: bareRuntime, ...rest });
const one = (container: Partial<Container>): Partial<PodSpec> => ({
  containers: [{ name: "main", image: "x", command: ["true"], ...container }],
});

describe("a pod is refused, in words for its owner, when", () => {
  test.each<[string, Partial<PodSpec>, RegExp]>([
    ["it has no containers", { containers: [] }, /has no containers/],
    ["a name could be a path", one({ name: "../x" }), /not a DNS label/],
    ["an argument holds a NUL", one({ args: ["a\0b"] }), /must not hold a NUL/],
    [
      "a word is longer than Linux takes",
      one({ args: ["x".repeat(131_072)] }),
      /Put it into a vol/,
    ],
    [
      "a gRPC service's name is longer than one frame",
      one({ livenessProbe: { grpc: { port: 1, service: "x".repeat(16_001) } } }),
      /liveness probe of container main names a gRPC service of more than 16000 bytes/,
    ],
    [
      "a gRPC probe's port is none",
      one({ startupProbe: { grpc: { port: 70_000 } } }),
      /names the port 70000/,
    ],
    [
      "a probe's host is a path",
      one({ readinessProbe: { tcpSocket: { host: "a/../b", port: 1 } } }),
      /which is none/,
    ],
    [
      "a probe's port has no number",
      one({ readinessProbe: { httpGet: { port: "web" } } }),
      /names the port "web"/,
    ],
    [
      "a header holds a second request",
      one({
        lifecycle: {
          postStart: {
            httpGet: { port: 1, httpHeaders: [{ name: "A", value: "b\r\n\r\nGET /" }] },
          },
        },
      }),
      /cannot be sent: "A"/,
    ],
    [
      "a volume is not provided",
      {
        ...one({ volumeMounts: [{ name: "v", mountPath: "/v" }] }),
        volumes: [{ name: "v", hostPath: { path: "/" } }],
      },
      /of the kind hostPath/,
    ],
    [
      "a volume is missing",
      one({ volumeMounts: [{ name: "v", mountPath: "/v" }] }),
      /does not have/,
    ],
    [
      "a number is none",
      one({ livenessProbe: { exec: { command: ["x"] }, periodSeconds: "a[$(id)]" as never } }),
      /no sound number for 0.liveness.period/,
    ],
  ])("%s", (_case, spec, words) => {
    expect(() => plan(spec)).toThrow(words);
  });
});

test("a runtime is told everything of a container, resolved", () => {
  const seen: BatchContainerSpec[] = [];
  plan(
    {
      initContainers: [{ name: "side", image: "s", command: ["s"], restartPolicy: "Always" }],
      containers: [
        {
          name: "main",
          image: "m",
          args: ["$(A)", "$$(A)"],
          env: [{ name: "A", value: "it's" }],
          terminationMessagePath: "/tmp/why",
          volumeMounts: [
            { name: "e", mountPath: "/e", subPath: "a/./b" },
            { name: "h", mountPath: "h", readOnly: true },
          ],
        },
      ],
      volumes: [
        { name: "e", emptyDir: {} },
        { name: "h", hostPath: { path: "/data" } },
      ],
    },
    {
      hostVolume: () => "/data/",
      runtime: { ...bareRuntime, run: (spec) => (seen.push(spec), [["x"]]) },
    },
  );
  expect(seen.map(({ kind }) => kind)).toEqual(["sidecar", "regular"]);
  expect(seen[1]).toMatchObject({
    args: ["it's", "$(A)"],
    env: [{ name: "A", value: "it's" }],
    mounts: [
      { source: [{ podPath: "volumes/e/a/b" }], mountPath: "/e", readOnly: false },
      { source: ["/data"], mountPath: "/h", readOnly: true },
    ],
    terminationMessage: { source: [{ attemptPath: "termination-log" }], mountPath: "/tmp/why" },
  });
});

test("a gRPC probe has all that is to be sent, and the words for one that takes too long", () => {
  const readinessProbe = { grpc: { port: 9000, service: "it's $(id)\\x41" }, timeoutSeconds: 2 };
  const { files } = plan(one({ readinessProbe }));
  const content = (path: string) =>
    Buffer.from(files.find((file) => file.path === path)?.content ?? []);
  const request = healthRequest("127.0.0.1:9000", "it's $(id)\\x41") ?? Buffer.alloc(0);
  expect(String(content("spec/main/readiness"))).toBe(`127.0.0.1\x009000\0${printable(request)}\0`);
  const settings = String(content("spec/pod.settings"));
  expect(settings).toContain("\x000.readiness\0grpc\x000.readiness.late\0timeout: health rpc to");
});

test("what is written is for its owner alone, can be written again, and ends with the settings", async () => {
  await using directory = await temporaryDirectory();
  const pod = plan(one({ env: [{ name: "SECRET", value: "x" }] }));
  const path = join(directory.path, "job");
  await writeBatchPod(pod, path);
  await writeBatchPod(pod, path);
  expect((await lstat(path)).mode & 0o777).toBe(0o700);
  expect((await lstat(join(path, "spec/main/env"))).mode & 0o777).toBe(0o600);
  expect(await readFile(join(path, "spec/main/env"), "utf8")).toBe("SECRET=x\0");
});

describe("a packed pod", () => {
  test("is text for its script, without secrets in sight", async () => {
    const script = await readFile(batchScriptPath(), "utf8");
    const pod = plan(one({ env: [{ name: "SECRET", value: "a very secret value" }] }));
    const packed = Buffer.from(packBatchPod(pod, { script, maxBytes: 1_000_000 })).toString();
    expect(packed.startsWith(script)).toBe(true);
    expect(packed).not.toContain("a very secret value");
    expect(packed).not.toContain("\0");
  });

  test("beyond the site's limit is refused with what makes it so large", () => {
    const pod = plan(one({ env: [{ name: "LARGE", value: "x".repeat(5000) }] }));
    expect(() => packBatchPod(pod, { script: "", maxBytes: 4000 })).toThrow(
      /at most 4000\. Its largest file is spec\/main\/env with 5007 bytes/,
    );
  });

  test("cannot hold a file outside of its directory", () => {
    const pod = {
      ...plan(one({})),
      files: [{ path: "../x", mode: 0o600, content: Buffer.from("") }],
    };
    expect(() => packBatchPod(pod, { script: "", maxBytes: 4000 })).toThrow(/leads out of it/);
  });
});

describe("records that are", () => {
  test("not there yet are those of a pod that has not begun", async () => {
    await using directory = await temporaryDirectory();
    const { containers, startedAt } = await readBatchRecords(directory.path, plan(one({})));
    expect(startedAt).toBeUndefined();
    expect(containers[0]).toMatchObject({
      name: "main",
      ready: false,
      state: { waiting: { reason: "ContainerCreating" } },
    });
  });

  test("a link are not followed", async () => {
    await using directory = await temporaryDirectory();
    await symlink("/etc/hostname", join(directory.path, "records"));
    await expect(readBatchRecords(directory.path, plan(one({})))).rejects.toMatchObject({
      code: "internal",
    });
  });

  test("no file are an error, not a pod that has not begun", async () => {
    await using directory = await temporaryDirectory();
    await mkdir(join(directory.path, "records"));
    await expect(readBatchRecords(directory.path, plan(one({})))).rejects.toMatchObject({
      code: "internal",
    });
  });
});
