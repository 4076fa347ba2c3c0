import { execFile } from "node:child_process";
import { mkdir, readFile, readlink, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Container } from "kubernetes-types/core/v1.js";
import { describe, expect, test } from "vitest";
import { BatchJob, bareRuntime, batchPod, shell } from "../testing/batch-job.ts";
import { temporaryDirectory } from "../testing/temporary-directory.ts";
import { batchScriptPath } from "./batch-script.ts";
import { packBatchPod } from "./pack-batch-pod.ts";
import { readBatchRecords } from "./read-batch-records.ts";

const run = promisify(execFile);
const hasShellcheck = await run("shellcheck", ["--version"]).then(
  () => true,
  () => false,
);

test.skipIf(!hasShellcheck)("the script is clean by shellcheck", async () => {
  const { stdout } = await run("shellcheck", [batchScriptPath()]);
  expect(stdout).toBe("");
});

test("the script uses nothing that bash 4.2 does not have", async () => {
  const script = await readFile(batchScriptPath(), "utf8");
  const newer =
    /\$\{[^}]+@[QEPAKak]\}|\bwait -n\b|\b(?:local|declare) -n\b|\[\[ -v [^ ]+\[|\bmapfile -d\b/;
  expect(script).not.toMatch(newer);
});

test("its directory may be given as it is seen from where the job starts", async () => {
  const pod = batchPod(
    { containers: [{ name: "main" }] },
    { runtime: { ...bareRuntime, run: () => [["echo"], [{ attemptPath: "x" }]] } },
  );
  await using job = await BatchJob.start(pod, { relative: true });
  expect(await job.end()).toBe(0);
  expect(await job.log("main")).toBe(`${job.directory}/containers/main/0/x\n`);
});

test("a word may name a file of the job's own directory, wherever the pod's files are", async () => {
  const script = await readFile(batchScriptPath(), "utf8");
  const pod = batchPod(
    { containers: [{ name: "main" }] },
    { runtime: { ...bareRuntime, run: () => [["echo"], ["in:", { jobPath: "x y" }]] } },
  );
  await using job = await BatchJob.start(pod, {
    packed: packBatchPod(pod, { script, maxBytes: 1_000_000 }),
  });
  expect(await job.end()).toBe(0);
  expect(await job.log("main")).toBe(`in:${job.directory}/x y\n`);
});

test("what was put before the script may say that the pod cannot run", async () => {
  const script = await readFile(batchScriptPath(), "utf8");
  const pod = batchPod({ containers: [shell("main", "true")] });
  const before = "#!/bin/bash\nil_refused='there is no way $(out)'\n";
  await using job = await BatchJob.start(pod, {
    packed: packBatchPod(pod, { script: before + script, maxBytes: 1_000_000 }),
  });
  expect(await job.end()).toBe(125);
  const { failed, containers } = await job.records();
  expect(failed).toEqual({ reason: "BatchJobFailed", message: "there is no way $(out)" });
  expect(containers[0]?.state?.running).toBeUndefined();
  expect(job.stderr).toContain("interlink: there is no way $(out)");
});

test("an older bash, without EPOCHREALTIME, counts in seconds", async () => {
  const script = (await readFile(batchScriptPath(), "utf8")).replace(
    "set -u -f\n",
    "unset EPOCHREALTIME\nset -u -f\n",
  );
  const pod = batchPod({ containers: [shell("main", "exit 2")] });
  await using job = await BatchJob.start(pod, {
    packed: packBatchPod(pod, { script, maxBytes: 1_000_000 }),
  });
  expect(await job.end()).toBe(2);
  expect(await job.file("records")).toMatch(/^\d{10} pod-started/);
  expect((await job.records()).finishedAt).toBeDefined();
});

test("shell text of the site before the script changes nothing in how it works", async () => {
  const script = await readFile(batchScriptPath(), "utf8");
  const before = `#!/bin/bash -p
set -eEvx -o pipefail -o posix -a -C
shopt -s nocasematch extglob nullglob failglob
IFS=0123456789
`;
  const pod = batchPod({
    restartPolicy: "OnFailure",
    containers: [
      shell("main", 'echo "$SECRET"; env | grep -c "^il_"; exit 0', {
        env: [{ name: "SECRET", value: "x*" }],
      }),
      shell("other", "kill -9 $$$$ || true", { restartPolicy: "Never" }),
    ],
  });
  const packed = packBatchPod(pod, { script: `${before}${script}`, maxBytes: 1_000_000 });
  await using job = await BatchJob.start(pod, { packed });
  expect(await job.end()).toBe(137);
  expect(await job.log("main")).toBe("x*\n0\n");
  expect(job.stderr).not.toContain("x*");
});

test("a packed pod runs without a file in its directory, and leaves nothing behind in TMPDIR", async () => {
  const pod = batchPod(
    {
      containers: [
        { name: "main", args: ["v"], volumeMounts: [{ name: "v", mountPath: "/v" }], env: [] },
      ],
      volumes: [{ name: "v", configMap: { name: "m", defaultMode: 0o440 } }],
    },
    {
      configMaps: [{ metadata: { name: "m" }, data: { key: "in the volume\n" } }],
      runtime: {
        ...bareRuntime,
        run: () => [
          ["sh"],
          ["-c"],
          ['cat "$1"; stat -Lc %a "$1"; ls -d "$TMPDIR"/interlink-pod.*'],
          ["sh"],
          [{ podPath: "volumes/v/key" }],
        ],
      },
    },
  );
  const script = await readFile(batchScriptPath(), "utf8");
  const packed = packBatchPod(pod, { script: script.trimEnd(), maxBytes: 1_000_000 });
  await using job = await BatchJob.start(pod, { packed });
  expect(await job.end()).toBe(0);
  const [content, mode, directory] = (await job.log("main")).split("\n");
  expect([content, mode]).toEqual(["in the volume", "440"]);
  await expect(readlink(directory ?? "")).rejects.toMatchObject({ code: "ENOENT" });
});

test("a directory without a pod, and a script without one, are an error that says so", async () => {
  await using directory = await temporaryDirectory();
  const failed = run("bash", ["-p", batchScriptPath(), join(directory.path, "job")], {
    env: { PATH: process.env["PATH"], TMPDIR: directory.path },
  });
  await expect(failed).rejects.toMatchObject({
    code: 125,
    stderr: "interlink: what the job is to run could not be unpacked\n",
  });
  expect(await readFile(join(directory.path, "job/records"), "utf8")).toMatch(/^\S+ failed \S+\n$/);
});

describe("a subPath", () => {
  const mounted = (subPath: string): Partial<Container> => ({
    volumeMounts: [{ name: "v", mountPath: "/v", subPath }],
  });
  const runtime = {
    ...bareRuntime,
    run: ({ mounts }: { mounts: readonly { source: readonly unknown[] }[] }) => [
      ["sh"],
      ["-c"],
      ['[ -d "$1" ] && echo made'],
      ["sh"],
      [...(mounts[0]?.source ?? [])] as { podPath: string }[],
    ],
  };
  const podOf = (subPath: string) =>
    batchPod(
      { containers: [shell("main", "", mounted(subPath))], volumes: [{ name: "v", emptyDir: {} }] },
      { runtime },
    );

  test("is made before the container starts", async () => {
    await using job = await BatchJob.start(podOf("a/b c/$(id)"));
    expect(await job.end()).toBe(0);
    expect(await job.log("main")).toBe("made\n");
  });

  test("is not followed out of its volume", async () => {
    await using job = await BatchJob.start(podOf("link/x"), {
      prepare: async (directory) => {
        await mkdir(join(directory, "volumes/v"), { recursive: true });
        await symlink("/tmp", join(directory, "volumes/v/link"));
      },
    });
    await job.until("problem main CreateContainerConfigError");
    const [status] = (await job.records()).containers;
    expect(status?.state?.waiting).toEqual({
      reason: "CreateContainerConfigError",
      message: 'failed to prepare subPath for volumeMount "v" of container "main"',
    });
  });
});

describe("exec", () => {
  const obedient = "trap 'exit 0' TERM; while :; do sleep 0.05; done";
  const podOf = () =>
    batchPod(
      {
        restartPolicy: "OnFailure",
        containers: [
          shell("other", obedient),
          shell("main", `[ "$1" = 0 ] && exit 1; ${obedient}`, {
            env: [{ name: "VALUE", value: "of the container" }],
          }),
        ],
      },
      {
        runtime: {
          exportPrefix: "",
          run: ({ command = [] }) => [
            ...command.map((word) => [word]),
            ["sh"],
            [{ attemptValue: "number" }],
          ],
          exec: (_spec, command) => [
            ["env"],
            ["ATTEMPT=", { attemptValue: "number" }],
            ["PID=", { attemptValue: "pid" }],
            ...command.map((word) => [word]),
          ],
        },
      },
    );
  const exec = (job: BatchJob, ...words: string[]) =>
    run("bash", ["-p", batchScriptPath(), job.directory, "exec", ...words], {
      env: { PATH: process.env["PATH"] },
    });

  test.each(["a shared directory", "a packed script"])(
    "becomes a command in the present attempt of a container, with %s",
    async (how) => {
      const pod = podOf();
      const script = await readFile(batchScriptPath(), "utf8");
      const packed = packBatchPod(pod, { script, maxBytes: 1_000_000 });
      await using job = await BatchJob.start(pod, how === "a packed script" ? { packed } : {});
      await job.until("started main 1");
      const shown = 'echo "$VALUE" $ATTEMPT "$1"; kill -0 $PID && echo runs; echo why >&2; exit 7';
      await expect(exec(job, "main", "sh", "-c", shown, "sh", "it's $(id)")).rejects.toMatchObject({
        code: 7,
        stdout: "of the container 1 it's $(id)\nruns\n",
        stderr: "why\n",
      });
      job.terminate();
      await job.end();
    },
  );

  test("says so when the container does not run", async () => {
    const pod = batchPod({ containers: [shell("main", "true")] });
    await using job = await BatchJob.start(pod);
    await job.end();
    for (const name of ["main", "no-such", "../x"]) {
      await expect(exec(job, name, "true")).rejects.toMatchObject({
        code: 126,
        stderr: `interlink: container ${name} is not running\n`,
      });
    }
  });
});

test("a container of a job that runs again waits until it begins anew, and has not ended", async () => {
  const pod = batchPod({ containers: [shell("main", "true")] });
  await using directory = await temporaryDirectory();
  const begun = "1.0 pod-started here 1\n";
  const life = "2.0 created main 0\n3.0 started main 0 3.0 9\n4.0 exited main 0 143 4.0 Error -\n";
  const read = async (text: string) => {
    await writeFile(join(directory.path, "records"), text);
    return (await readBatchRecords(directory.path, pod)).containers[0];
  };
  expect((await read(begun + life))?.state?.terminated).toMatchObject({ exitCode: 143 });
  expect(await read(`${begun}${life}5.0 pod-finished 143\n6.0 pod-started here 2\n`)).toMatchObject(
    {
      ready: false,
      state: { waiting: { reason: "ContainerCreating" } },
      lastState: { terminated: { exitCode: 143 } },
    },
  );
});
