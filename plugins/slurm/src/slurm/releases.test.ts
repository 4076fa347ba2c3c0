import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SlurmClient } from "../commands/slurm-client.ts";
import { SlurmError } from "../commands/slurm-error.ts";
import { clusterCapacity, NODE_ARGUMENTS, parseNodes } from "./cluster-nodes.ts";
import { parseSettings } from "./controller-settings.ts";
import { accountingArguments, parseAccounting, parseShowJob } from "./job-details.ts";
import { parseQueue, type QueuedJob, queueArguments } from "./queue.ts";

/** What real Slurms printed, and one that is written by hand; see its README. */
const FOLDER = fileURLToPath(new URL("../../fixtures/releases/", import.meta.url));

interface Index {
  /** Who submitted the jobs. */
  user: number;
  /** Names of jobs by id: they tell how each came into its state. */
  jobs: Record<string, string>;
  commands: {
    name: string;
    program: keyof SlurmPrograms;
    args: string[];
    exitCode: number;
    stderr: string;
  }[];
}
type SlurmPrograms = Record<
  "sbatch" | "squeue" | "scancel" | "scontrol" | "sacct" | "sinfo",
  string
>;

/** In the queue. The name of a job is the end of its comment. */
const QUEUED: Readonly<Record<string, Partial<QueuedJob>>> = {
  completed: { state: "COMPLETED", stage: "ended" },
  failed: { state: "FAILED", stage: "ended", reason: "NonZeroExitCode" },
  signalled: { state: "FAILED", stage: "ended" },
  "out-of-memory": { state: "OUT_OF_MEMORY", stage: "ended" },
  timeout: { state: "TIMEOUT", stage: "ended", reason: "TimeLimit" },
  "cancelled-by-user": { state: "CANCELLED", stage: "ended" },
  "cancelled-by-root": { state: "CANCELLED", stage: "ended" },
  "cancelled-while-pending": { state: "CANCELLED", stage: "ended", nodes: "" },
  preempted: { state: "PREEMPTED", stage: "ended" },
  "node-failed": { state: "NODE_FAIL", stage: "ended" },
  requeued: { state: "PENDING", stage: "waiting", reason: "BeginTime" },
  "requeue-held": { stage: "waiting" },
  "special-exit": { stage: "waiting" },
  running: { state: "RUNNING", stage: "running" },
  suspended: { state: "SUSPENDED", stage: "running" },
  held: { state: "PENDING", stage: "waiting", reason: "JobHeldUser" },
  "begin-time": { state: "PENDING", stage: "waiting", reason: "BeginTime" },
  "time-limit": { state: "PENDING", stage: "waiting", reason: "PartitionTimeLimit" },
  dependency: { state: "PENDING", stage: "waiting", reason: "Dependency" },
  "partition-down": { state: "PENDING", stage: "waiting", reason: "PartitionDown" },
  "two-nodes": { state: "RUNNING", stage: "running" },
};
/** Of ended jobs, as accounting knows them. */
const ACCOUNTED: Readonly<Record<string, object>> = {
  completed: { state: "COMPLETED", code: 0, signal: 0 },
  failed: { state: "FAILED", code: 3, signal: 0 },
  signalled: { state: "FAILED", code: 0, signal: 9 },
  "out-of-memory": { state: "OUT_OF_MEMORY" },
  timeout: { state: "TIMEOUT" },
  "cancelled-by-root": { state: "CANCELLED", cancelledBy: "user 0" },
  preempted: { state: "PREEMPTED" },
  "node-failed": { state: "NODE_FAIL" },
};
const TIMED = ["completed", "failed", "timeout", "cancelled-by-user", "node-failed"];

const releases = readdirSync(FOLDER, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

it("has what several releases printed", () => {
  expect(releases.length).toBeGreaterThanOrEqual(4);
});

describe.each(releases)("Slurm %s", (release) => {
  const file = (name: string): string => join(FOLDER, release, `${name}.txt`);
  const read = (name: string): string => readFileSync(file(name), "utf8");
  const index = JSON.parse(readFileSync(join(FOLDER, release, "commands.json"), "utf8")) as Index;
  const has = (name: string): boolean => existsSync(file(name));
  const argumentsOf = (name: string) => index.commands.find((one) => one.name === name)?.args;
  const known = Object.values(index.jobs);
  const nameOf = ({ comment }: { comment?: string }) => comment?.trim().split(":").at(-1) ?? "";

  it("was asked as the plugin asks now", () => {
    expect(argumentsOf("squeue")).toEqual(queueArguments("MARK", [String(index.user)]));
    expect(argumentsOf("sinfo")).toEqual(NODE_ARGUMENTS);
    const ids = Object.keys(index.jobs);
    expect(argumentsOf("sacct")).toEqual(accountingArguments({ ids }));
    const since = Date.UTC(2020, 0, 1);
    expect(argumentsOf("sacct-by-name")).toEqual(accountingArguments({ name: "failed", since }));
  });

  it("tells its queue", () => {
    const jobs = parseQueue(read("squeue"), "MARK");
    const seen = new Map(jobs.map((job) => [nameOf(job), job]));
    const expected = Object.entries(QUEUED).filter(([name]) => known.includes(name));
    expect(expected.length).toBeGreaterThan(8);
    for (const [name, told] of expected) {
      expect([name, seen.get(name)]).toEqual([name, expect.objectContaining(told)]);
    }
    for (const job of jobs) {
      expect([job.id, job.stage]).not.toContain("unknown");
      if (job.stage === "running") expect([job.id, job.startAt]).not.toContain(undefined);
      if (job.stage === "ended") expect([job.id, job.endAt]).not.toContain(undefined);
      if (job.stage === "waiting") expect([job.id, job.reason]).not.toContain("");
    }
    expect(parseQueue(read("squeue-nobody"), "MARK")).toEqual([]);
  });

  // From 23.02 on.
  const limited = index.commands.filter(({ name }) => name.startsWith("limited-"));
  it("tells it late, but whole, to those who ask too often", () => {
    const all = parseQueue(read("squeue"), "MARK").length;
    for (const { name, exitCode } of limited) {
      expect([name, exitCode]).toEqual([name, 0]);
      // Those that ended before slurmctld was started anew may be forgotten.
      const told = parseQueue(read(name), "MARK").length;
      expect(told).toBeGreaterThan(all / 2);
    }
  });

  it("tells arrays, jobs of several parts and nodes, and comments with anything in them", () => {
    const jobs = parseQueue(read("squeue"), "MARK");
    const idsOf = (name: string) => jobs.filter((job) => nameOf(job) === name).map(({ id }) => id);
    if (known.includes("array")) {
      expect(idsOf("array")).toEqual([
        expect.stringMatching(/^\d+_\[3-4%2\]$/),
        expect.stringMatching(/^\d+_1$/),
        expect.stringMatching(/^\d+_2$/),
      ]);
    }
    if (known.includes("parts")) {
      expect(idsOf("parts")).toEqual([
        expect.stringMatching(/^\d+\+0$/),
        expect.stringMatching(/^\d+\+1$/),
      ]);
    }
    const two = jobs.find((job) => nameOf(job) === "two-nodes");
    expect(two?.nodes).toMatch(/,|\[/);
    expect(jobs.map(({ comment }) => comment.trimEnd())).toContain("a|b\t\"'\\ $(x)");
  });

  it("tells the same of each job by scontrol", () => {
    const queue = new Map(parseQueue(read("squeue"), "MARK").map((job) => [job.id, job]));
    const shown = parseShowJob(read("scontrol-show-job"));
    let compared = 0;
    for (const job of shown) {
      const queued = queue.get(job.id);
      if (queued === undefined) continue;
      compared++;
      expect([job.id, job.state, nameOf(job)]).toEqual([job.id, queued.state, nameOf(queued)]);
      if (queued.stage === "ended") expect(job.endAt).toBe(queued.endAt);
    }
    expect(compared).toBeGreaterThan(8);
    const named = (name: string) => shown.find((job) => nameOf(job) === name);
    expect(named("failed")).toMatchObject({ state: "FAILED", code: 3, signal: 0 });
    if (known.includes("signalled"))
      expect(named("signalled")).toMatchObject({ code: 0, signal: 9 });
  });

  it("tells from accounting how jobs ended, and who cancelled them", () => {
    const jobs = new Map(parseAccounting(read("sacct")).map((job) => [job.name, job]));
    for (const [name, told] of Object.entries(ACCOUNTED)) {
      if (known.includes(name))
        expect([name, jobs.get(name)]).toEqual([name, expect.objectContaining(told)]);
    }
    expect(jobs.get("cancelled-by-user")?.cancelledBy).toBe(`user ${index.user}`);
    for (const name of TIMED) {
      if (known.includes(name)) expect([name, jobs.get(name)?.endAt]).not.toContain(undefined);
    }
    expect(parseAccounting(read("sacct-by-name"))).toEqual([
      expect.objectContaining({ name: "failed", code: 3 }),
    ]);
  });

  it("tells its nodes: neither those that are down or drained count, nor closed partitions", () => {
    const { cpus, memory, gres, closed, isClosed } = clusterCapacity(parseNodes(read("sinfo")));
    expect({ cpus, memory, closed: closed.toSorted(), isClosed }).toEqual({
      cpus: 64,
      memory: 64_000,
      closed: ["drained", "low"],
      isClosed: false,
    });
    expect(Object.fromEntries(gres)).toEqual({ gpu: 4 });
  });

  it("tells its settings", () => {
    expect(parseSettings(read("scontrol-show-config"))).toEqual({
      version: release.replace(/-.*/, ""),
      killWaitSeconds: 30,
      minJobAgeSeconds: 300,
      maxScriptBytes: 4_194_304,
      hasAccounting: true,
    });
  });

  describe("says by programs that failed", () => {
    let folder: string;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "slurm-release-"));
    });
    afterAll(() => rm(folder, { recursive: true, force: true }));

    /** Slurm's programs, each of which does again what it did when this was recorded. */
    async function replaying(name: string): Promise<SlurmClient> {
      const { exitCode = 0, stderr = "" } = index.commands.find((one) => one.name === name) ?? {};
      const program = join(folder, name);
      const errors = Buffer.from(stderr).toString("base64");
      const text = `#!/bin/bash\ncat '${file(name)}'\nbase64 -d <<<'${errors}' >&2\nexit ${exitCode}\n`;
      await writeFile(program, text, { mode: 0o755 });
      const all = ["sbatch", "squeue", "scancel", "scontrol", "sacct", "sinfo", "srun"] as const;
      return new SlurmClient({
        commands: Object.fromEntries(all.map((one) => [one, program])) as Record<
          (typeof all)[number],
          string
        >,
        env: { PATH: process.env["PATH"] },
        passEnvironment: [],
        deadlineMs: 60_000,
      });
    }
    const code = (asking: Promise<unknown>): Promise<unknown> =>
      asking.then(
        () => "well",
        (error: unknown) => (error instanceof SlurmError ? error.code : error),
      );
    const recorded = (...names: string[]) => names.filter((name) => has(name));

    it.each(recorded("scontrol-unknown-job"))("that it does not know a job: %s", async (name) => {
      using client = await replaying(name);
      expect(await client.job("999999")).toBeUndefined();
    });

    it.each(recorded("scancel-unknown-job", "scancel-ended-job"))(
      "that there is nothing to cancel any more: %s",
      async (name) => {
        using client = await replaying(name);
        expect(await code(client.cancel("999999"))).toBe("well");
      },
    );

    it.each(recorded("scontrol-release-running"))("that a job runs already: %s", async (name) => {
      using client = await replaying(name);
      expect(await code(client.release("7"))).toBe("well");
    });

    it.each(recorded("sbatch-partition", "sbatch-cpus"))("what it refuses: %s", async (name) => {
      using client = await replaying(name);
      const { exitCode } = index.commands.find((one) => one.name === name) ?? {};
      // More CPUs than there are may wait for more nodes.
      expect(await code(client.submit([], undefined))).toBe(exitCode === 0 ? "well" : "refused");
    });

    it.each(recorded("sbatch-drained", "down-sbatch"))("what may pass: %s", async (name) => {
      using client = await replaying(name);
      expect(await code(client.submit([], undefined))).toBe("unavailable");
    });

    it.each(recorded("sbatch"))("the id of a job that it takes: %s", async (name) => {
      using client = await replaying(name);
      expect(await client.submit([], undefined)).toMatch(/^\d+$/);
    });

    it.each(recorded("down-squeue", "down-sinfo", "down-scontrol-show-job", "down-scancel"))(
      "that nobody answers, which is no answer: %s",
      async (name) => {
        using client = await replaying(name);
        const ask: Record<string, () => Promise<unknown>> = {
          "down-squeue": () => client.queue(["0"]),
          "down-sinfo": () => client.nodes(),
          "down-scontrol-show-job": () => client.job("7"),
          "down-scancel": () => client.cancel("7"),
        };
        expect(await code(ask[name]?.() ?? Promise.resolve())).toBe("unavailable");
      },
    );
  });
});
