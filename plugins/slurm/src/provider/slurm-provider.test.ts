import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import type { PluginError, Provider, ProviderListener } from "@interlink/plugin-sdk";
import { eventually, logRequest, podData } from "@interlink/plugin-sdk/testing";
import {
  CONTENT_ANNOTATION,
  type RemotePodStatus,
  type RetrievedPodData,
} from "@interlink/protocol";
import type { Container, PodSpec } from "kubernetes-types/core/v1.js";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readSlurmConfig } from "../config/slurm-config.ts";
import { fakeSlurm } from "../testing/fake-slurm.ts";
import { createSlurmProvider } from "./slurm-provider.ts";

const signal = new AbortController().signal;
let folder: string;
let provider: Provider;
let created: RetrievedPodData[];

interface Given {
  checkpoint?: (step: string) => void;
  /** More of the configuration file. */
  file?: object;
  pullRestMs?: number;
}

async function open({ file = {}, ...options }: Given = {}): Promise<void> {
  const commands = await fakeSlurm(join(folder, "slurm"));
  const { options: settings } = readSlurmConfig({
    file: { name: "f.yaml", text: JSON.stringify({ PollSeconds: 1, CommandSeconds: 5, ...file }) },
    env: {},
  });
  provider = createSlurmProvider({
    root: join(folder, "root"),
    settings: {
      ...settings,
      commands,
      runtime: { ...settings.runtime, path: join(folder, "slurm", "apptainer") },
    },
    logger: pino({ level: "silent" }),
    recordsMs: 100,
    ...options,
  });
  await provider.start?.(signal);
}

const fault = (program: string, text: string) =>
  writeFile(join(folder, "slurm", `${program}-fault`), text);
const mend = (program: string) => rm(join(folder, "slurm", `${program}-fault`), { force: true });

const podOf = (
  script: string,
  rest: Partial<PodSpec> = {},
  container: Partial<Container> = {},
): RetrievedPodData =>
  podData(randomUUID(), {
    restartPolicy: "Never",
    terminationGracePeriodSeconds: 1,
    containers: [{ name: "main", image: "/app.sif", command: ["sh", "-c", script], ...container }],
    ...rest,
  });
const uidOf = (data: RetrievedPodData): string => data.pod.metadata?.uid ?? "";
const create = (data: RetrievedPodData) => {
  created.push(data);
  return provider.create(data, signal);
};
const statusOf = async (data: RetrievedPodData): Promise<RemotePodStatus | undefined> =>
  (await provider.status([data.pod], signal))[0];
const stateOf = async (data: RetrievedPodData) => (await statusOf(data))?.containers[0]?.state;
const until = (data: RetrievedPodData, state: "running" | "terminated") =>
  eventually(`main is ${state}`, async () => (await stateOf(data))?.[state], 20_000);
const untilGone = (data: RetrievedPodData) =>
  eventually(
    "the pod is gone",
    async () => (await provider.status("all", signal)).every(({ UID }) => UID !== uidOf(data)),
    20_000,
  );
const jobs = async (): Promise<string[]> => readdir(join(folder, "slurm", "jobs"));
const refusal = async (running: Promise<unknown>): Promise<PluginError> =>
  running.then(
    () => {
      throw new Error("it was not refused");
    },
    (error: unknown) => error as PluginError,
  );
const log = async (data: RetrievedPodData, container = "main"): Promise<string> => {
  const pieces: Uint8Array[] = [];
  for await (const piece of provider.logs(logRequest(uidOf(data), {}, container), signal)) {
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString();
};

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "slurm-provider-"));
  created = [];
  await open();
});

afterEach(async () => {
  for (const program of ["sbatch", "squeue", "scancel"]) await mend(program);
  await rm(join(folder, "slurm", "hold"), { force: true });
  for (const { pod } of created) await provider.delete(pod, signal);
  for (const data of created) await untilGone(data);
  await provider.close?.();
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

describe("a pod as a Slurm job", { timeout: 60_000 }, () => {
  it("runs, tells its end and keeps its log", async () => {
    const data = podOf(
      'printf "%s" "$GREETING"; exit 3',
      {},
      {
        env: [{ name: "GREETING", value: "it's $HOME\n" }],
      },
    );
    const { PodJID } = await create(data);
    expect(PodJID).toMatch(/^\d+$/);
    expect(await until(data, "terminated")).toMatchObject({ exitCode: 3, reason: "Error" });
    expect(await log(data)).toBe("it's $HOME\n");
    expect(await create(data)).toEqual({ PodUID: uidOf(data), PodJID });
    expect(await jobs()).toHaveLength(1);
    expect((await statusOf(data))?.JID).toBe(PodJID);
  });

  it("tells each change and event once to whoever listens", async () => {
    const told: RemotePodStatus[] = [];
    const events: string[] = [];
    const listener: ProviderListener = {
      status: (status) => told.push(status),
      gone: () => undefined,
      event: ({ reason }) => events.push(reason),
    };
    const stop = provider.subscribe?.(listener);
    const data = podOf("exit 0");
    await create(data);
    await until(data, "terminated");
    await eventually("events", () => events.includes("Started"));
    stop?.();
    expect(events.filter((reason) => reason === "Started")).toHaveLength(1);
    expect(events).toContain("SlurmJobSubmitted");
    const revisions = told.map(({ extension }) => extension?.revision);
    expect(revisions).toEqual([...new Set(revisions)]);
  });

  it("runs a command in a running container, and nowhere else", async () => {
    const data = podOf("sleep 60", {}, { env: [{ name: "WORD", value: "it's" }] });
    const { name = "", namespace = "", uid = "" } = data.pod.metadata ?? {};
    const streams = { Stdin: true, Stdout: true, Stderr: true, TTY: false };
    const request = {
      Namespace: namespace,
      PodName: name,
      PodUID: uid,
      ContainerName: "main",
      Command: ["sh", "-c", 'cat; printf "%s" "$WORD" >&2; exit 7'],
      ...streams,
    };
    expect(await refusal(Promise.resolve(provider.exec?.(request, signal)))).toMatchObject({
      code: "not-found",
    });
    await create(data);
    await until(data, "running");
    const Command = ["sh", "-c", 'stty size; echo "$WORD"; exit 8'];
    const terminal = { ...request, Command, TTY: true, Size: { width: 90, height: 30 } };
    const shown = await provider.exec?.(terminal, signal);
    expect(await text(shown?.stdout ?? Readable.from([]))).toBe("30 90\r\nit's\r\n");
    expect(await shown?.ended).toEqual({ exitCode: 8 });
    const session = await provider.exec?.(request, signal);
    session?.stdin?.end("a b\n");
    const [out, said] = await Promise.all([
      text(session?.stdout ?? Readable.from([])),
      text(session?.stderr ?? Readable.from([])),
    ]);
    expect([out, said, await session?.ended]).toEqual(["a b\n", "it's", { exitCode: 7 }]);
  });

  it("tells capacity and taints", async () => {
    expect(await provider.ping?.(signal)).toEqual({
      status: "ok",
      resources: {
        cpu: "64",
        memory: "8000Mi",
        accelerators: [{ resourceType: "nvidia.com/gpu", available: "2" }],
      },
      taints: [],
    });
  });

  it("takes pod data in the script where nothing is shared, and what runs before it", async () => {
    await provider.close?.();
    const file = {
      SharedFileSystem: false,
      CommandPrefix: "export SITE='a b'",
      AllowShellAnnotations: true,
    };
    await open({ file });
    const data = podOf(
      `printf '%s|' "$SECRET"; cat ${folder}/before`,
      {},
      {
        env: [{ name: "SECRET", value: "s3'cret\n" }],
      },
    );
    const metadata = data.pod.metadata ?? {};
    metadata.annotations = {
      "slurm-job.vk.io/pre-exec": `printf '%s' "$SITE" >${folder}/before`,
    };
    await create(data);
    expect(await until(data, "terminated")).toMatchObject({ exitCode: 0 });
    expect(await log(data)).toBe("s3'cret\n|a b");
    expect(await readdir(join(folder, "root", "pods", uidOf(data)))).not.toContain("spec");
  });

  it("tells the job's own last words when it ends before it begins", async () => {
    await provider.close?.();
    await open({ file: { CommandPrefix: "echo 'no module apptainer' >&2; exit 9" } });
    const data = podOf("exit 0");
    await create(data);
    expect(await until(data, "terminated")).toMatchObject({
      message: expect.stringMatching(/ It wrote: no module apptainer$/),
    });
    expect((await statusOf(data))?.extension?.failed?.message).toContain("no module apptainer");
  });

  it("is run by the script that the API server has made for it", async () => {
    const shell = (name: string): Container => ({ name, image: "none", command: ["never"] });
    const data = podOf("never", {
      initContainers: [shell("before")],
      containers: [shell("main"), shell("other"), shell("third")],
    });
    data.jobScript = `#!/bin/bash
#SBATCH --time=1
echo "it's $PWD"
echo of the other >"$SANDBOX/run-other.out"
echo 5 >"$SANDBOX/run-other.status"
until [[ -e ${folder}/go ]]; do sleep 0.1; done
echo end
exit 3
`;
    await create(data);
    const state = async (at: number) => (await statusOf(data))?.containers[at]?.state;
    await eventually("the other has ended", async () => (await state(1))?.terminated, 20_000);
    expect((await state(1))?.terminated).toMatchObject({ exitCode: 5 });
    for (const at of [0, 2]) {
      await eventually("the others run", async () => (await state(at))?.running, 20_000);
    }
    await writeFile(join(folder, "go"), "");
    await eventually("the third has ended", async () => (await state(2))?.terminated, 20_000);
    expect((await state(2))?.terminated).toMatchObject({ exitCode: 3 });
    expect(await until(data, "terminated")).toMatchObject({ exitCode: 3 });
    const directory = join(folder, "root", "pods", uidOf(data));
    expect(await log(data)).toBe(`it's ${directory}\nend\n`);
    expect(await log(data, "other")).toBe("of the other\n");
    expect((await statusOf(data))?.initContainers?.[0]?.state?.terminated?.exitCode).toBe(0);
  });

  it("is ready without its probes where the site leaves them out", async () => {
    await provider.close?.();
    await open({ file: { EnableProbes: false } });
    const never = { exec: { command: ["false"] } };
    const data = podOf("sleep 1000", {}, { readinessProbe: never, startupProbe: never });
    await create(data);
    await until(data, "running");
    expect((await statusOf(data))?.containers[0]).toMatchObject({ ready: true, started: true });
  });

  it("refuses in sbatch's own words, and submits again when it is asked again", async () => {
    await fault("sbatch", "echo 'sbatch: error: invalid partition specified: gpu' >&2; exit 1");
    const data = podOf("exit 0");
    const error = await refusal(create(data));
    expect(error).toMatchObject({ code: "rejected" });
    expect(error.message).toBe("sbatch: error: invalid partition specified: gpu");
    expect(await provider.status("all", signal)).toEqual([]);
    await mend("sbatch");
    await create(data);
    expect(await until(data, "terminated")).toMatchObject({ exitCode: 0 });
  });

  it("takes a greeting of the site for no error", async () => {
    await fault("sbatch", "echo 'Welcome to the site'; echo 'be nice' >&2");
    const data = podOf("exit 0");
    await create(data);
    expect(await until(data, "terminated")).toMatchObject({ exitCode: 0 });
  });

  it("finds a job again whose submission nobody answered, and never submits twice", async () => {
    await writeFile(join(folder, "slurm", "sbatch-after"), "sleep 60");
    const data = podOf("exit 0");
    expect(await refusal(create(data))).toMatchObject({ code: "unavailable" });
    await rm(join(folder, "slurm", "sbatch-after"));
    await create(data);
    expect(await until(data, "terminated")).toMatchObject({ exitCode: 0 });
    expect(await jobs()).toHaveLength(1);
  });

  it("finds the job of an earlier life that wrote down no id", async () => {
    await provider.close?.();
    await open({
      checkpoint: (step) => {
        if (step === "create.container-started") throw new Error("a crash, here");
      },
    });
    const data = podOf("exit 5");
    await refusal(create(data));
    await provider.close?.();
    await open();
    expect(await until(data, "terminated")).toMatchObject({ exitCode: 5 });
    expect(await jobs()).toHaveLength(1);
  });

  it("keeps what it knows while Slurm does not answer", async () => {
    const data = podOf("sleep 60");
    await create(data);
    await until(data, "running");
    await fault(
      "squeue",
      "echo 'slurm_load_jobs error: Unable to contact slurm controller' >&2; exit 1",
    );
    const asked = join(folder, "slurm", "asked");
    await fault("squeue", `echo >>${asked}; exit 1`);
    await eventually(
      "squeue was asked twice",
      async () => {
        const text = await readFile(asked, "utf8").catch(() => "");
        return text.length > 1;
      },
      20_000,
    );
    expect(await stateOf(data)).toHaveProperty("running");
  });

  it("calls a job lost only when Slurm itself does not know it", async () => {
    const data = podOf("sleep 60");
    const { PodJID } = await create(data);
    await until(data, "running");
    const job = join(folder, "slurm", "jobs", PodJID);
    execFileSync("bash", [
      "-c",
      `pid=$(<${job}/pid); mv ${job} ${folder}/forgotten; kill -KILL -- -$pid`,
    ]);
    const failed = await eventually(
      "the pod has failed",
      async () => (await statusOf(data))?.extension?.failed,
      20_000,
    );
    expect(failed.reason).toBe("SlurmJobLost");
    expect(await stateOf(data)).toMatchObject({ terminated: { exitCode: 137 } });
  });

  it("tells a time limit as Kubernetes does", async () => {
    const data = podOf("sleep 60");
    const { PodJID } = await create(data);
    await until(data, "running");
    const job = join(folder, "slurm", "jobs", PodJID);
    execFileSync("bash", ["-c", `echo TIMEOUT >${job}/as; kill -TERM $(<${job}/pid)`]);
    const failed = await eventually(
      "the pod has failed",
      async () => (await statusOf(data))?.extension?.failed,
      20_000,
    );
    expect(failed.reason).toBe("DeadlineExceeded");
  });

  it("never starts a pod that is deleted while it is queued", async () => {
    await writeFile(join(folder, "slurm", "hold"), "");
    const data = podOf(`echo ran >${folder}/ran`);
    await create(data);
    await eventually(
      "it waits",
      async () => (await stateOf(data))?.waiting?.message?.includes("PENDING"),
      20_000,
    );
    await provider.delete(data.pod, signal);
    await untilGone(data);
    await rm(join(folder, "slurm", "hold"));
    expect(await refusal(provider.create(data, signal))).toMatchObject({ code: "conflict" });
    expect(await readdir(folder)).not.toContain("ran");
    expect((await statusOf(data))?.extension?.gone).toBe(true);
  });

  it("ends a running pod in order, and repeats a cancel that failed", async () => {
    const trap = `trap 'echo bye >${folder}/bye; exit 0' TERM`;
    const data = podOf(`${trap}; echo >${folder}/up; sleep 60 & wait`);
    await create(data);
    await until(data, "running");
    // A shell runs before it has set its trap.
    await eventually("it listens", async () => (await readdir(folder)).includes("up"), 20_000);
    await fault("scancel", `rm ${folder}/slurm/scancel-fault; exit 1`);
    await provider.delete(
      { ...data.pod, metadata: { ...data.pod.metadata, deletionGracePeriodSeconds: 15 } },
      signal,
    );
    await untilGone(data);
    expect(await readdir(folder)).toContain("bye");
    expect(await readdir(join(folder, "root", "pods"))).toEqual([]);
  });

  it("cancels a second job of a pod, which then runs nothing", async () => {
    const data = podOf(`echo run >>${folder}/runs; sleep 60`);
    const { PodJID } = await create(data);
    await until(data, "running");
    const root = join(folder, "root", "pods", uidOf(data));
    const comment = await readFile(join(folder, "slurm", "jobs", PodJID, "comment"), "utf8");
    const words = [`--comment=${comment}`, join(root, "job.sh"), root];
    execFileSync(join(folder, "slurm", "sbatch"), words);
    await eventually(
      "it was cancelled or has ended",
      async () => {
        const state = await readFile(
          join(folder, "slurm", "jobs", String(Number(PodJID) + 1), "state"),
          "utf8",
        );
        return /COMPLETED|CANCELLED/.test(state);
      },
      20_000,
    );
    expect(await readFile(join(folder, "runs"), "utf8")).toBe("run\n");
    expect(await stateOf(data)).toHaveProperty("running");
  });

  it("buries a pod that never came", async () => {
    const data = podOf("exit 0");
    await provider.delete(data.pod, signal);
    expect(await refusal(provider.create(data, signal))).toMatchObject({ code: "conflict" });
  });

  it("keeps pod data from other users", async () => {
    const data = podOf("sleep 60");
    await create(data);
    const directory = join(folder, "root", "pods", uidOf(data));
    const listed = execFileSync(
      "find",
      [directory, "-perm", "/077", "-type", "f", "-not", "-name", "job.log"],
      {
        encoding: "utf8",
      },
    );
    expect(listed).toBe("");
  });
});

describe("images pulled where the plugin runs", { timeout: 60_000 }, () => {
  const image = "docker://host/tool:1";
  const again = async () => {
    await provider.close?.();
    const file = { PullOnLoginNode: true, ImageCache: join(folder, "images") };
    await open({ file, pullRestMs: 50 });
  };
  const pulls = () =>
    readFile(join(folder, "slurm", "pulls"), "utf8").then(
      (lines) => lines.trim().split("\n"),
      (): string[] => [],
    );
  const message = async (data: RetrievedPodData) => (await stateOf(data))?.waiting;

  it("are there before the job begins, once for all pods", async () => {
    await again();
    const both = [podOf("exit 4", {}, { image }), podOf("exit 4", {}, { image })];
    await Promise.all(both.map(create));
    for (const data of both) {
      expect(await until(data, "terminated")).toMatchObject({ exitCode: 4 });
    }
    expect(await pulls()).toEqual([image]);
    // There already: the job is not held at all.
    const third = podOf("exit 5", {}, { image });
    await create(third);
    expect(await until(third, "terminated")).toMatchObject({ exitCode: 5 });
    expect(await pulls()).toEqual([image]);
  });

  it("are brought for a container that comes to a running pod", async () => {
    await again();
    const data = podOf("sleep 60");
    await create(data);
    await until(data, "running");
    const debug = { name: "debug", image, command: ["true"] };
    const spec = { ...(data.pod.spec ?? { containers: [] }), ephemeralContainers: [debug] };
    await provider.update?.({ ...data, pod: { ...data.pod, spec } }, signal);
    await eventually("it was pulled", async () => (await pulls()).includes(image));
    // The job has looked for it at once, and will again.
    const has = "it waits, or has run";
    await eventually(
      has,
      async () => {
        const [status] = (await statusOf(data))?.extension?.ephemeralContainers ?? [];
        return (
          status?.state?.terminated ?? status?.state?.waiting?.message?.includes("not present")
        );
      },
      30_000,
    );
  });

  it("that cannot be pulled keep the job held, in the registry's words, until they can be", async () => {
    await again();
    await writeFile(join(folder, "slurm", "pull-fault"), "echo 'manifest unknown' >&2; exit 1\n");
    const data = podOf("exit 0", {}, { image });
    await create(data);
    const waiting = await eventually("the pull has failed", async () => {
      const told = await message(data);
      return told?.reason === "ImagePullBackOff" ? told : undefined;
    });
    expect(waiting?.message).toContain("manifest unknown");
    await rm(join(folder, "slurm", "pull-fault"));
    expect(await until(data, "terminated")).toMatchObject({ exitCode: 0 });
  });

  it("are pulled by the next life of the plugin for a job that it finds held", async () => {
    await again();
    const hang = join(folder, "slurm", "pull-fault");
    await writeFile(hang, `touch ${folder}/pulling; sleep 600\n`);
    const data = podOf("exit 6", {}, { image });
    await create(data);
    await eventually("a pull runs", async () => (await readdir(folder)).includes("pulling"));
    await provider.close?.();
    await rm(hang);
    await again();
    expect(await until(data, "terminated")).toMatchObject({ exitCode: 6 });
    expect(await jobs()).toHaveLength(1);
  });

  it("are given up with a pod that is deleted, which never begins", async () => {
    await again();
    await writeFile(join(folder, "slurm", "pull-fault"), "exit 1\n");
    const data = podOf(`touch ${folder}/began`, {}, { image });
    await create(data);
    await eventually(
      "the pull has failed",
      async () => (await message(data))?.reason === "ImagePullBackOff",
    );
    await provider.delete(data.pod, signal);
    await untilGone(data);
    expect(await readdir(folder)).not.toContain("began");
  });
});

describe("an update of a running pod", { timeout: 60_000 }, () => {
  const withValue = (data: RetrievedPodData, value: string, word: string): RetrievedPodData => {
    const metadata = { ...data.pod.metadata, annotations: { [CONTENT_ANNOTATION]: word } };
    const configMaps = [{ metadata: { name: "m" }, data: { key: value } }];
    return {
      ...data,
      pod: { ...data.pod, metadata },
      container: data.container.map((one) => ({ ...one, configMaps })),
    };
  };
  const mounting = (script: string, rest: Partial<PodSpec> = {}): RetrievedPodData =>
    podOf(
      script,
      { volumes: [{ name: "v", configMap: { name: "m" } }], ...rest },
      { volumeMounts: [{ name: "v", mountPath: "/v" }] },
    );
  const fileOf = (data: RetrievedPodData) =>
    readFile(join(folder, "root", "pods", uidOf(data), "volumes", "v", "key"), "utf8");
  const wordOf = async (data: RetrievedPodData) => (await statusOf(data))?.extension?.content;
  const update = (data: RetrievedPodData) => provider.update?.(data, signal);
  const withDebug = (data: RetrievedPodData, container: Partial<Container>): RetrievedPodData => {
    const debug = { name: "debug", image: "/app.sif", ...container };
    const spec = { ...(data.pod.spec ?? { containers: [] }), ephemeralContainers: [debug] };
    return { ...data, pod: { ...data.pod, spec } };
  };

  it("reaches its files, is told, and outlives the plugin", async () => {
    const data = mounting("sleep 60");
    await create(withValue(data, "old", "first"));
    await until(data, "running");
    expect(await fileOf(data)).toBe("old");
    await update(withValue(data, "new", "second"));
    expect([await fileOf(data), await wordOf(data)]).toEqual(["new", "second"]);
    await provider.close?.();
    await open();
    expect(await wordOf(data)).toBe("second");
    await update(withValue(data, "newer", "third"));
    expect([await fileOf(data), await wordOf(data)]).toEqual(["newer", "third"]);
    expect((await statusOf(data))?.containers[0]?.restartCount).toBe(0);
  });

  it("that comes while the job is queued is what it begins with", async () => {
    await writeFile(join(folder, "slurm", "hold"), "");
    const data = mounting(`cat ${folder}/root/pods/*/volumes/v/key; echo $VALUE`);
    await create(withValue(data, "old", "first"));
    const newer = withValue(data, "new", "second");
    const [main] = newer.pod.spec?.containers ?? [];
    Object.assign(newer.pod, {
      spec: { ...data.pod.spec, containers: [{ ...main, env: [{ name: "VALUE", value: "set" }] }] },
    });
    await update(newer);
    await rm(join(folder, "slurm", "hold"));
    await until(data, "terminated");
    expect(await log(data)).toBe("newset\n");
  });

  it("starts an ephemeral container, with its own log and exit record", async () => {
    const data = mounting("sleep 60");
    await create(withValue(data, "old", "first"));
    await until(data, "running");
    const looking = withDebug(withValue(data, "old", "second"), {
      command: ["sh", "-c", 'echo "$WHO"; exit 9'],
      env: [{ name: "WHO", value: "looking" }],
      targetContainerName: "main",
    } as Partial<Container>);
    await update(looking);
    const ended = await eventually(
      "debug has ended",
      async () => (await statusOf(data))?.extension?.ephemeralContainers?.[0]?.state?.terminated,
      20_000,
    );
    expect(ended).toMatchObject({ exitCode: 9, reason: "Error" });
    const request = logRequest(uidOf(data), {}, "debug");
    expect(await text(Readable.from(provider.logs(request, signal)))).toBe("looking\n");
    expect(await stateOf(data)).toHaveProperty("running");
    // It was told to look, and did not find out by itself.
    expect(await readFile(join(folder, "slurm", "scancels"), "utf8")).toContain("--signal=URG");
  });

  it("of a pod that has ended changes nothing, and of one that is not here is not found", async () => {
    const data = mounting("exit 0");
    await create(withValue(data, "old", "first"));
    await until(data, "terminated");
    const records = join(folder, "root", "pods", uidOf(data), "records");
    await eventually("its job has ended", async () =>
      (await readFile(records, "utf8")).includes(" pod-finished "),
    );
    await update(withValue(data, "new", "second"));
    expect([await fileOf(data), await wordOf(data)]).toEqual(["old", "first"]);
    const other = await refusal(Promise.resolve(update(mounting("exit 0"))));
    expect(other).toMatchObject({ code: "not-found" });
  });

  it("that cannot be written is to be sent again, and changes no word", async () => {
    const data = mounting("sleep 60");
    await create(withValue(data, "old", "first"));
    await until(data, "running");
    const missing = { ...withValue(data, "", "second"), container: data.container };
    expect(await refusal(Promise.resolve(update(missing)))).toMatchObject({ code: "rejected" });
    const script = join(folder, "root", "pods", uidOf(data), "exec.sh");
    await rm(script);
    const lost = await refusal(Promise.resolve(update(withValue(data, "new", "second"))));
    expect(lost).toMatchObject({ code: "unavailable" });
    expect([await fileOf(data), await wordOf(data)]).toEqual(["old", "first"]);
  });

  it("is refused, with the reason, where pods are packed into their scripts", async () => {
    await provider.close?.();
    await open({ file: { SharedFileSystem: false } });
    expect(provider.features).not.toContain("pod-updates");
    const data = mounting("sleep 60");
    await create(withValue(data, "old", "first"));
    const refused = await refusal(Promise.resolve(update(withValue(data, "new", "second"))));
    expect(refused).toMatchObject({ code: "rejected" });
    expect(refused.message).toContain("packed into its job's script");
  });
});
