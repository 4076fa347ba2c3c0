import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import type { PluginError, Provider } from "@interlink/plugin-sdk";
import { eventually, podData } from "@interlink/plugin-sdk/testing";
import type { CreateAnswer, RemotePodEvent, RetrievedPodData } from "@interlink/protocol";
import type { PodSpec } from "kubernetes-types/core/v1.js";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readSlurmConfig } from "../config/slurm-config.ts";
import { fakeSlurm } from "../testing/fake-slurm.ts";
import { createSlurmProvider } from "./slurm-provider.ts";

const PROGRAMS = ["sbatch", "squeue", "scancel", "scontrol", "sacct", "sinfo"] as const;
type Program = (typeof PROGRAMS)[number];
const PATIENCE_MS = 30_000;
const signal = new AbortController().signal;

let folder: string;
let provider: Provider;
let log: string;
let events: RemotePodEvent[];
let created: RetrievedPodData[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "slurm-faults-"));
  log = "";
  events = [];
  created = [];
});
afterEach(async () => {
  await mend(...PROGRAMS);
  for (const data of created) await gone(data);
  await provider.close?.();
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

/** A life of the plugin; `CommandSeconds`: of each command. */
async function open(CommandSeconds = 20): Promise<void> {
  const commands = await fakeSlurm(join(folder, "slurm"));
  const text = JSON.stringify({ PollSeconds: 1, CommandSeconds });
  const { options: settings } = readSlurmConfig({ file: { name: "f.yaml", text }, env: {} });
  const runtime = { ...settings.runtime, path: join(folder, "slurm", "apptainer") };
  const lines = new Writable({
    write: (piece, _encoding, done) => {
      log += String(piece);
      done();
    },
  });
  provider = createSlurmProvider({
    root: join(folder, "root"),
    settings: { ...settings, commands, runtime },
    logger: pino({ level: "info" }, lines),
    recordsMs: 100,
  });
  provider.subscribe?.({
    status: () => undefined,
    gone: () => undefined,
    event: (event) => events.push(event),
  });
  await provider.start?.(signal);
}

/** Each of these programs reads `text` first; how often it was run is told by {@link runs}. */
async function fault(text: string, ...programs: Program[]): Promise<void> {
  for (const name of programs) {
    const file = join(folder, "slurm", `${name}-fault`);
    await writeFile(file, `echo >>${join(folder, `${name}-runs`)}\n${text}\n`);
  }
}
async function mend(...programs: Program[]): Promise<void> {
  for (const name of programs) {
    await rm(join(folder, "slurm", `${name}-fault`), { force: true });
    await rm(join(folder, `${name}-runs`), { force: true });
  }
}
const runs = (program: Program): Promise<number> =>
  readFile(join(folder, `${program}-runs`), "utf8").then(
    (text) => text.length,
    () => 0,
  );
const asked = (program: Program, times: number) =>
  eventually(
    `${program} was run ${times} times`,
    async () => (await runs(program)) >= times,
    PATIENCE_MS,
  );

const podOf = (script: string, rest: Partial<PodSpec> = {}): RetrievedPodData =>
  podData(randomUUID(), {
    restartPolicy: "Never",
    terminationGracePeriodSeconds: 1,
    containers: [{ name: "main", image: "/app.sif", command: ["sh", "-c", script] }],
    ...rest,
  });
/** As a node does, which asks again. */
function create(data: RetrievedPodData): Promise<CreateAnswer> {
  created.push(data);
  const once = () =>
    provider.create(data, signal).catch((error: PluginError) => {
      if (error.code !== "unavailable") throw error;
    });
  return eventually("the pod is created", once, PATIENCE_MS) as Promise<CreateAnswer>;
}
const statusOf = async ({ pod }: RetrievedPodData) => (await provider.status([pod], signal))[0];
const stateOf = async (data: RetrievedPodData) => (await statusOf(data))?.containers[0]?.state;
const until = (data: RetrievedPodData, state: "running" | "terminated") =>
  eventually(`main is ${state}`, async () => (await stateOf(data))?.[state], PATIENCE_MS);
const isListed = async ({ pod }: RetrievedPodData) =>
  (await provider.status("all", signal)).some(({ UID }) => UID === pod.metadata?.uid);
async function gone(data: RetrievedPodData): Promise<void> {
  await provider.delete(data.pod, signal);
  await eventually("the pod is gone", async () => !(await isListed(data)), PATIENCE_MS);
}
const refusal = (running: Promise<unknown>): Promise<PluginError> =>
  running.then(
    () => {
      throw new Error("it was not refused");
    },
    (error: unknown) => error as PluginError,
  );
/** Slurm does not know this job any more, and nothing of it runs. */
function forget(id: string): void {
  const job = join(folder, "slurm", "jobs", id);
  const script = `pid=$(<${job}/pid); mv ${job} ${folder}/forgotten; kill -KILL -- -$pid`;
  execFileSync("bash", ["-c", script]);
}
const jobs = () => readdir(join(folder, "slurm", "jobs"));

describe("a Slurm at fault", { timeout: 120_000 }, () => {
  it("that answers no command holds nobody up for ever, and no pod is lost or run twice", async () => {
    await open(2);
    const runsOn = podOf("sleep 60");
    const doomed = podOf("sleep 60");
    for (const data of [runsOn, doomed]) {
      await create(data);
      await until(data, "running");
    }
    await fault("exec sleep 600", ...PROGRAMS);
    const late = podOf(`echo ran >>${folder}/late`);
    expect(await refusal(provider.create(late, signal))).toMatchObject({
      code: "unavailable",
      message: "sbatch did not answer within 2 s.",
    });
    expect(await refusal(Promise.resolve(provider.ping?.(signal)))).toMatchObject({
      code: "unavailable",
      message: expect.stringContaining("sinfo did not answer within 2 s"),
    });
    // A promise, kept later.
    await provider.delete(doomed.pod, signal);
    await asked("squeue", 2);
    await asked("scancel", 2);
    expect(await stateOf(runsOn)).toHaveProperty("running");
    expect((await statusOf(doomed))?.extension?.deleting).toBe(true);

    await mend(...PROGRAMS);
    await eventually("the delete is kept", async () => !(await isListed(doomed)), 60_000);
    await create(late);
    expect(await until(late, "terminated")).toMatchObject({ exitCode: 0 });
    expect(await readFile(join(folder, "late"), "utf8")).toBe("ran\n");
    expect(await stateOf(runsOn)).toHaveProperty("running");
    expect(await jobs()).toHaveLength(3);
  });

  it("that greets on stderr with each command is no other one", async () => {
    await open();
    await fault("echo '*** Welcome to the site ***' >&2", ...PROGRAMS);
    const ends = podOf("exit 4");
    const runsOn = podOf("sleep 60");
    await Promise.all([create(ends), create(runsOn)]);
    expect(await until(ends, "terminated")).toMatchObject({ exitCode: 4 });
    await until(runsOn, "running");
    expect(await provider.ping?.(signal)).toMatchObject({ resources: { cpu: "64" } });
    await gone(runsOn);
    expect(await runs("scancel")).toBeGreaterThan(0);
    expect(log).not.toContain("did not answer");
  });

  it("that was away when the plugin began is asked again whether it has accounting", async () => {
    await fakeSlurm(join(folder, "slurm"));
    await fault(
      "echo 'Unable to contact slurm controller (connect failure)' >&2; exit 1",
      "scontrol",
    );
    await open();
    expect(log).toContain("does not tell its settings now");
    const data = podOf("sleep 60");
    const { PodJID } = await create(data);
    await until(data, "running");
    // It is back, and has forgotten the job, which ended otherwise than the script could say.
    await fault(
      `[[ $2 == config ]] && { echo 'AccountingStorageType = accounting_storage/slurmdbd'; exit; }`,
      "scontrol",
    );
    await fault(`echo '${PodJID}|TIMEOUT|0:15|1795390786|1795390791|n1|x'; exit`, "sacct");
    forget(PodJID);
    const failed = await eventually(
      "the pod has failed",
      async () => (await statusOf(data))?.extension?.failed,
      PATIENCE_MS,
    );
    expect(failed.reason).toBe("DeadlineExceeded");
  });

  it("whose accounting does not answer loses no job, and is asked again", async () => {
    await fakeSlurm(join(folder, "slurm"));
    const config = `[[ $2 == config ]] && { echo 'AccountingStorageType = accounting_storage/slurmdbd'; exit; }`;
    await fault(config, "scontrol");
    await open();
    await fault(
      "echo 'sacct: error: slurm_persist_conn_open: Connection refused' >&2; exit 1",
      "sacct",
    );
    const data = podOf("sleep 60");
    const { PodJID } = await create(data);
    await until(data, "running");
    forget(PodJID);
    await asked("sacct", 2);
    expect((await statusOf(data))?.extension?.failed).toBeUndefined();
    await fault(`echo '${PodJID}|NODE_FAIL|0:0|1795390786|1795390791|n1|x'; exit`, "sacct");
    const failed = await eventually(
      "the pod has failed",
      async () => (await statusOf(data))?.extension?.failed,
      PATIENCE_MS,
    );
    expect(failed.reason).toBe("NodeLost");
  });

  it("whose KillWait is shorter than a grace period warns: at the start, and the pod's owner", async () => {
    await fakeSlurm(join(folder, "slurm"));
    await fault(
      "[[ $2 == config ]] && { echo 'KillWait                = 10 sec'; exit; }",
      "scontrol",
    );
    await open();
    expect(log).toContain("Slurm's KillWait of 10 s is shorter than the grace period of 30 s");
    await create(podOf("exit 0", { terminationGracePeriodSeconds: 10 }));
    expect(events.map(({ reason }) => reason)).not.toContain("ShortKillWait");
    await create(podOf("exit 0", { terminationGracePeriodSeconds: 60 }));
    const told = events.filter(({ reason }) => reason === "ShortKillWait");
    expect(told).toHaveLength(1);
    expect(told[0]?.message).toContain("KillWait of 10 s is shorter than the grace period of 60 s");
    await provider.close?.();
    await mend("scontrol");
    log = "";
    await open();
    expect(log).not.toContain("KillWait");
  });
});
