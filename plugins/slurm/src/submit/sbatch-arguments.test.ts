import { PluginError } from "@interlink/plugin-sdk";
import { describe, expect, it } from "vitest";
import { type Flavor, readFlavor } from "../config/flavor.ts";
import { type JobWishes, jobFlags, sbatchArguments } from "./sbatch-arguments.ts";
import { flagWord, readSbatchFlags } from "./sbatch-flags.ts";

const flavor = (cpus: number, memory: string, ...flags: string[]): Flavor =>
  readFlavor("f", { CPUDefault: cpus, MemoryDefault: memory, SlurmFlags: flags });
const words = (line: string, rest: Partial<JobWishes> = {}): string =>
  jobFlags({
    resources: { extended: new Map() },
    flags: readSbatchFlags(line === "" ? [] : line.split(" ")),
    fixed: [],
    gres: new Map([
      ["nvidia.com/gpu", "gpu"],
      ["example.com/fpga", "fpga:x1"],
    ]),
    tmpDisk: false,
    ...rest,
  })
    .map(flagWord)
    .join(" ");
const asking = (resources: Partial<JobWishes["resources"]>): Partial<JobWishes> => ({
  resources: { extended: new Map(), ...resources },
});
const gpus = (units: number) => asking({ extended: new Map([["nvidia.com/gpu", units]]) });

describe("jobFlags", () => {
  it.each<[string, string, Partial<JobWishes>, string]>([
    ["nothing", "", {}, "--cpus-per-task=1"],
    ["CPUs and memory", "", asking({ cpus: 3, memory: 100 }), "--cpus-per-task=3 --mem=100M"],
    ["the flags' CPUs where the pod states none", "-c 4", {}, "--cpus-per-task=4"],
    ["the pod's CPUs over the flags'", "-c 4", asking({ cpus: 2 }), "--cpus-per-task=2"],
    [
      "the flavor's where nobody else says",
      "",
      { flavor: flavor(8, "16G") },
      "--cpus-per-task=8 --mem=16384M",
    ],
    [
      "the flavor's memory beside the pod's CPUs",
      "",
      { flavor: flavor(8, "16G"), ...asking({ cpus: 2 }) },
      "--cpus-per-task=2 --mem=16384M",
    ],
    [
      "the flags over the flavor's flags",
      "-p b --mem 5",
      { flavor: flavor(1, "1G", "-p a", "--mem=7") },
      "--partition=b --mem=5 --cpus-per-task=1",
    ],
    [
      "memory per CPU, which Slurm takes only alone",
      "--mem-per-cpu=1G",
      { flavor: flavor(2, "1G", "--mem=7") },
      "--mem-per-cpu=1G --cpus-per-task=2",
    ],
    [
      "the pod's memory over memory per CPU",
      "--mem-per-cpu=1G",
      asking({ memory: 9 }),
      "--cpus-per-task=1 --mem=9M",
    ],
    [
      "CPUs per GPU, which Slurm takes only alone",
      "--cpus-per-gpu=4 --gpus=2",
      { flavor: flavor(8, "0", "-c 2") },
      "--cpus-per-gpu=4 --gpus=2",
    ],
    [
      "the pod's CPUs over CPUs per GPU",
      "--cpus-per-gpu=4 --gpus=2",
      asking({ cpus: 3 }),
      "--gpus=2 --cpus-per-task=3",
    ],
    ["GPUs", "", gpus(2), "--cpus-per-task=1 --gres=gpu:2"],
    [
      "GPUs that the flavor has already",
      "",
      { ...gpus(1), flavor: flavor(1, "0", "--gres=gpu:a100:2,shard:1") },
      "--cpus-per-task=1 --gres=gpu:a100:2,shard:1",
    ],
    [
      "more GPUs than the flavor has, of its type",
      "",
      { ...gpus(4), flavor: flavor(1, "0", "--gres=gpu:a100:2,shard:1") },
      "--cpus-per-task=1 --gres=shard:1,gpu:a100:4",
    ],
    [
      "more GPUs than an option of their own",
      "--gpus=1",
      gpus(2),
      "--cpus-per-task=1 --gres=gpu:2",
    ],
    ["GPUs asked for by an option of their own", "-G 2", gpus(2), "--gpus=2 --cpus-per-task=1"],
    [
      "GPUs asked for by task",
      "-n 2 --gpus-per-task=1",
      gpus(2),
      "--ntasks=2 --gpus-per-task=1 --cpus-per-task=1",
    ],
    [
      "other generic resources",
      "",
      asking({ extended: new Map([["example.com/fpga", 1]]) }),
      "--cpus-per-task=1 --gres=fpga:x1:1",
    ],
    ["no disk unless the site wants it", "", asking({ storage: 5 }), "--cpus-per-task=1"],
    [
      "disk if the site wants it",
      "",
      { tmpDisk: true, ...asking({ storage: 5 }) },
      "--cpus-per-task=1 --tmp=5M",
    ],
    ["a deadline", "", { activeDeadlineSeconds: 90 }, "--cpus-per-task=1 --time=2"],
    [
      "a deadline before the flags' limit",
      "-t 1:00:00",
      { activeDeadlineSeconds: 90 },
      "--cpus-per-task=1 --time=2",
    ],
    [
      "a limit before the deadline",
      "-t 1",
      { activeDeadlineSeconds: 90 },
      "--time=1 --cpus-per-task=1",
    ],
    [
      "what the namespace fixes, over the flavor",
      "-A phys",
      { fixed: [{ name: "account", value: "phys" }], flavor: flavor(1, "0", "-A site") },
      "--account=phys --cpus-per-task=1",
    ],
  ])("gives a pod %s", (_what, line, rest, expected) => {
    expect(words(line, rest)).toBe(expected);
  });

  it("refuses another account than the namespace's", () => {
    const fixed = [{ name: "account", value: "phys" }];
    expect(() => words("-A chem", { fixed })).toThrow(PluginError);
    expect(() => words("-A chem", { fixed })).toThrow("run with --account=phys");
  });

  it("refuses a resource that the site does not offer", () => {
    const wish = asking({ extended: new Map([["example.com/qpu", 1]]) });
    expect(() => words("", wish)).toThrow("asks for example.com/qpu");
  });
});

describe("sbatchArguments", () => {
  const facts = {
    comment: "interlink:u",
    jobName: "u",
    output: "/data/100%/job.log",
    directory: "/data/100%",
    requeue: false,
    hold: false,
    script: ["/data/job.sh", "/data"],
  };

  it("stamps the job and ends with the script", () => {
    expect(sbatchArguments([{ name: "hold" }], facts)).toEqual([
      "--parsable",
      "--job-name=u",
      "--comment=interlink:u",
      "--output=/data/100%%/job.log",
      "--open-mode=append",
      "--chdir=/data/100%",
      "--no-requeue",
      "--hold",
      "/data/job.sh",
      "/data",
    ]);
  });

  it("keeps a job's name and runs as another user", () => {
    const flags = [{ name: "job-name", value: "mine" }];
    const made = sbatchArguments(flags, { ...facts, user: { uid: 5, gid: 6 }, requeue: true });
    expect(made).toEqual(expect.arrayContaining(["--uid=5", "--gid=6", "--requeue"]));
    expect(made).not.toContain("--hold");
    expect(made.filter((word) => word.startsWith("--job-name"))).toEqual(["--job-name=mine"]);
  });

  it("holds a job that waits for its images, once", () => {
    const held = { ...facts, hold: true };
    expect(sbatchArguments([], held)).toContain("--hold");
    const own = sbatchArguments([{ name: "hold" }], held);
    expect(own.filter((word) => word === "--hold")).toHaveLength(1);
  });
});
