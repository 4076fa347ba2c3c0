import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { clusterCapacity, parseGres, parseNodes } from "./cluster-nodes.ts";
import { parseSettings } from "./controller-settings.ts";
import { accountingArguments, parseAccounting, parseShowJob } from "./job-details.ts";
import { parseQueue, queueArguments } from "./queue.ts";
import { SlurmOutputError } from "./slurm-output-error.ts";
import { slurmTime } from "./slurm-time.ts";
import { submittedJob } from "./submitted.ts";

describe("parseQueue", () => {
  it("reads jobs in all stages", () => {
    const output = [
      "m1|12|RUNNING|None|1795390786|1795394386|n[1-2]|interlink:u1",
      "m1|13|PENDING|Resources|N/A|N/A||interlink:u2",
      "m1|14_3|COMPLETED|None|2026-11-20T23:39:46|2026-11-20T23:39:47|n1|",
      "",
    ].join("\n");
    expect(parseQueue(output, "m1")).toEqual([
      {
        id: "12",
        state: "RUNNING",
        stage: "running",
        reason: "None",
        startAt: 1_795_390_786_000,
        endAt: 1_795_394_386_000,
        nodes: "n[1-2]",
        comment: "interlink:u1",
      },
      {
        id: "13",
        state: "PENDING",
        stage: "waiting",
        reason: "Resources",
        nodes: "",
        comment: "interlink:u2",
      },
      {
        id: "14_3",
        state: "COMPLETED",
        stage: "ended",
        reason: "None",
        startAt: Date.UTC(2026, 10, 20, 23, 39, 46),
        endAt: Date.UTC(2026, 10, 20, 23, 39, 47),
        nodes: "n1",
        comment: "",
      },
    ]);
    expect(parseQueue("", "m1")).toEqual([]);
  });

  it("never takes a comment for another job", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.nat(), (text, id) => {
        const comment = `${text}\n${id}|COMPLETED|None|N/A|N/A||x`;
        const jobs = parseQueue(`mark7|12|RUNNING|None|N/A|N/A|n1|${comment}\n`, "mark7");
        expect(jobs).toHaveLength(1);
        expect(jobs[0]).toMatchObject({ id: "12", state: "RUNNING", comment });
      }),
    );
  });

  it.each([
    "slurm_load_jobs error: Unable to contact slurm controller\n",
    "Welcome!\nm|12|RUNNING|None|N/A|N/A||\n",
    "m|12|RUNNING|None\n",
    "m||RUNNING|None|N/A|N/A||\n",
    "m|x|RUNNING|None|N/A|N/A||\n",
    "m|12||None|N/A|N/A||\n",
    "m|12|RUNNING|None|N/A|N/A||interlink:u",
  ])("says that it cannot read %j, and does not guess", (output) => {
    expect(() => parseQueue(output, "m")).toThrow(SlurmOutputError);
  });

  it("asks for whole fields of all states", () => {
    expect(queueArguments("m", ["1000", "ann"])).toEqual([
      "--noheader",
      "--all",
      "--states=all",
      "--user=1000,ann",
      "--format=m|%i|%T|%r|%S|%e|%N|%k",
    ]);
  });
});

const SHOW_JOB = `JobId=42 JobName=a JobState=COMPLETED ExitCode=0:0
   UserId=ann(1000) GroupId=ann(1000) MCS_label=N/A
   Priority=4294901758 Nice=0 Account=(null) QOS=(null)
   JobState=FAILED Reason=NonZeroExitCode Dependency=(null)
   Requeue=0 Restarts=0 BatchFlag=1 Reboot=0 ExitCode=3:0
   RunTime=00:00:05 TimeLimit=00:30:00 TimeMin=N/A
   SubmitTime=1795390780 EligibleTime=1795390780
   StartTime=1795390786 EndTime=1795390791 Deadline=N/A
   NodeList=n1
   BatchHost=n1
   Command=/a b/ExitCode=9:9
   Comment=interlink:u1
   WorkDir=/tmp
`;

describe("parseShowJob", () => {
  it("reads keys only where scontrol puts them", () => {
    expect(parseShowJob(`${SHOW_JOB}\n${SHOW_JOB.replace("JobId=42", "JobId=43")}\n`)).toEqual([
      {
        id: "42",
        state: "FAILED",
        reason: "NonZeroExitCode",
        code: 3,
        signal: 0,
        startAt: 1_795_390_786_000,
        endAt: 1_795_390_791_000,
        node: "n1",
        comment: "interlink:u1",
      },
      expect.objectContaining({ id: "43", state: "FAILED" }),
    ]);
    expect(parseShowJob("")).toEqual([]);
  });

  it("says that it cannot read something else", () => {
    expect(() => parseShowJob("slurm_load_jobs error: Invalid job id specified")).toThrow(
      SlurmOutputError,
    );
  });
});

describe("parseAccounting", () => {
  it("reads ended jobs, and who cancelled them", () => {
    const output = [
      "42|FAILED|3:0|1795390786|1795390791|n1|a|b",
      "43|CANCELLED by 1000|0:15|Unknown|1795390791|None assigned|u2",
      "44|OUT_OF_MEMORY|0:125|1795390786|1795390791|n1|u3",
      "",
    ].join("\n");
    expect(parseAccounting(output)).toEqual([
      {
        id: "42",
        state: "FAILED",
        code: 3,
        signal: 0,
        startAt: 1_795_390_786_000,
        endAt: 1_795_390_791_000,
        node: "n1",
        name: "a|b",
      },
      {
        id: "43",
        state: "CANCELLED",
        code: 0,
        signal: 15,
        endAt: 1_795_390_791_000,
        cancelledBy: "user 1000",
        name: "u2",
      },
      expect.objectContaining({ id: "44", state: "OUT_OF_MEMORY", signal: 125 }),
    ]);
    expect(() => parseAccounting("sacct: error: no\n")).toThrow(SlurmOutputError);
  });

  it("asks by number or by name", () => {
    expect(accountingArguments({ ids: ["1", "2"] })).toContain("--jobs=1,2");
    expect(accountingArguments({ name: "u", since: 0 })).toEqual(
      expect.arrayContaining(["--name=u", "--starttime=1970-01-01T00:00:00"]),
    );
  });
});

it.each([
  ["123\n", "123"],
  ["123;cluster-a\n", "123"],
  ["Submitted batch job 99\n", "99"],
  ["*** Welcome to site 7 ***\n\n456\n", "456"],
  ["", undefined],
  ["error 5\n", undefined],
])("finds the job's id in %j: %s", (stdout, id) => {
  expect(submittedJob(stdout)).toBe(id);
});

it.each([
  ["1795390786", 1_795_390_786_000],
  ["2026-11-20T23:39:46", Date.UTC(2026, 10, 20, 23, 39, 46)],
  ["N/A", undefined],
  ["Unknown", undefined],
  ["0", undefined],
  ["2026-99-20T23:39:46", undefined],
])("reads the time %s as %s", (text, at) => {
  expect(slurmTime(text)).toBe(at);
});

it("reads the settings of the controller, and lives without them", () => {
  const output = `Configuration data as of 2026-11-20T23:39:46
AccountingStorageType   = accounting_storage/slurmdbd
KillWait                = 30 sec
MinJobAge               = 300 sec
SchedulerParameters     = batch_sched_delay=1,max_script_size=65536
SLURM_VERSION           = 22.05.8
`;
  expect(parseSettings(output)).toEqual({
    version: "22.05.8",
    killWaitSeconds: 30,
    minJobAgeSeconds: 300,
    maxScriptBytes: 65_536,
    hasAccounting: true,
  });
  expect(parseSettings("what?")).toEqual({ maxScriptBytes: 4_194_304, hasAccounting: false });
});

it.each<[string, object]>([
  ["(null)", {}],
  ["N/A", {}],
  ["gpu:2", { gpu: 2 }],
  ["gpu:a100:2(S:0-1),gpu:t4:1(S:0),shard:8", { gpu: 3, shard: 8 }],
  ["gpu", { gpu: 1 }],
  ["bandwidth:4K", { bandwidth: 4096 }],
])("counts the generic resources %s", (text, counts) => {
  expect(Object.fromEntries(parseGres(text))).toEqual(counts);
});

describe("clusterCapacity", () => {
  const nodes = parseNodes(
    [
      "n1|debug|up|idle|64|8000|gpu:2",
      "n1|long|up|idle|64|8000|gpu:2",
      "n2|debug|up|down*|64|8000|(null)",
      "n3|debug|up|idle*|64|8000|(null)",
      "n4|long|up|mixed~|8|1000|(null)",
      "n5|dark|up|drained|8|1000|(null)",
      "n6|late|down|idle|8|1000|(null)",
      "n7|long|up|draining|8|1000|(null)",
      "n8|long|up|idle$|8|1000|(null)",
      "",
    ].join("\n"),
  );

  it("counts each usable node once", () => {
    const { gres, ...rest } = clusterCapacity(nodes);
    expect(rest).toEqual({ cpus: 72, memory: 9000, closed: ["dark", "late"], isClosed: false });
    expect(Object.fromEntries(gres)).toEqual({ gpu: 2 });
  });

  it("counts only the partitions that are asked for", () => {
    expect(clusterCapacity(nodes, ["long"])).toMatchObject({ cpus: 72, closed: [] });
    expect(clusterCapacity(nodes, ["dark", "gone"])).toMatchObject({
      cpus: 0,
      closed: ["dark", "gone"],
      isClosed: true,
    });
  });

  it("says that it cannot read something else", () => {
    expect(() => parseNodes("sinfo: error\n")).toThrow(SlurmOutputError);
  });
});
