import { describe, expect, it } from "vitest";
import { SLURM_CONFIG } from "./config-schema.ts";
import { readSlurmConfig } from "./slurm-config.ts";

/** JSON is YAML. */
const read = (value: unknown, env: Record<string, string> = {}) =>
  readSlurmConfig({ file: { name: "f.yaml", text: JSON.stringify(value) }, env });

const EARLIER = {
  SidecarPort: "4000",
  SbatchPath: "/usr/bin/sbatch",
  ScancelPath: "/usr/bin/scancel",
  SqueuePath: "/usr/bin/squeue",
  SinfoPath: "/usr/bin/sinfo",
  CommandPrefix: "module load x",
  ImagePrefix: "docker://",
  SingularityPath: "/opt/singularity",
  SingularityDefaultOptions: ["--containall", "--bind '/a b'"],
  SingularityPrefix: "nice -n 5",
  ExportPodData: true,
  DataRootFolder: ".local/interlink/jobs/",
  Namespace: "vk",
  VKConfigPath: "",
  Tsocks: false,
  TsocksPath: "/x",
  TsocksLoginNode: "login",
  BashPath: "/bin/bash",
  VerboseLogging: true,
  ErrorsOnlyLogging: false,
  EnableProbes: true,
  Flavors: { gpu: { CPUDefault: 8, MemoryDefault: "16G", UID: 5, SlurmFlags: ["--gres=gpu:1"] } },
  DefaultFlavor: "gpu",
  DefaultUID: 1000,
  Taints: [{ Key: "k", Value: "v", Effect: "NoSchedule" }],
  ResourceScriptPath: "/opt/resources",
};

describe("readSlurmConfig", () => {
  it("takes the whole file of the earlier plugin", () => {
    const { options, ...rest } = read(EARLIER);
    expect(options).toMatchObject({
      commands: { sbatch: "/usr/bin/sbatch", squeue: "/usr/bin/squeue", scontrol: "scontrol" },
      bash: "/bin/bash",
      commandPrefix: "module load x",
      runtime: {
        kind: "singularity",
        path: "/opt/singularity",
        prefix: ["nice", "-n", "5"],
        defaultOptions: ["--containall", "--bind", "/a b"],
      },
      imagePrefix: "docker://",
      probes: true,
      flavors: [{ name: "gpu", cpus: 8, memory: 16_384, uid: 5 }],
      defaultFlavor: "gpu",
      defaultUid: 1000,
      taints: [{ key: "k", value: "v", effect: "NoSchedule" }],
      resourceScript: "/opt/resources",
    });
    expect(rest).toEqual({
      root: ".local/interlink/jobs/",
      listen: "127.0.0.1:4000",
      logLevel: "debug",
      notices: [
        "f.yaml:1: Namespace is ignored: it had no effect in the earlier plugin either.",
        "f.yaml:1: VKConfigPath is ignored: it had no effect in the earlier plugin either.",
        "SidecarPort listens on 127.0.0.1 only; use --listen to open it to others.",
      ],
    });
  });

  it("needs no key at all", () => {
    const { options, notices } = readSlurmConfig({ env: {} });
    expect(notices).toEqual([]);
    expect(options).toMatchObject({
      sharedFileSystem: true,
      shellAnnotations: false,
      runtime: {
        path: "singularity",
        defaultOptions: ["--no-eval", "--containall"],
        prefix: [],
      },
      gres: new Map([
        ["nvidia.com/gpu", "gpu"],
        ["amd.com/gpu", "gpu"],
      ]),
    });
  });

  it("takes the variables of the earlier plugin before the file", () => {
    const env = {
      SIDECARPORT: "4001",
      SBATCHPATH: "/s/sbatch",
      SCANCELPATH: "/s/scancel",
      SINFOPATH: "/s/sinfo",
      SINGULARITYPATH: "/s/apptainer",
      SHARED_FS: "no",
      TSOCKS: "false",
      ENABLE_TRACING: "1",
    };
    const { options, listen, notices } = read({ ...EARLIER, Tsocks: true }, env);
    expect(options.commands).toMatchObject({ sbatch: "/s/sbatch", scancel: "/s/scancel" });
    expect(options.runtime.path).toBe("/s/apptainer");
    expect(options.sharedFileSystem).toBe(false);
    expect(listen).toBe("127.0.0.1:4001");
    // Spans are the command's, whatever the plugin.
    expect(notices.join()).not.toContain("TRACING");
  });

  it("takes what a site with many users needs", () => {
    const { options } = read(
      {
        AllowedUIDs: ["1000-1999", 5],
        Namespaces: { physics: { Account: "phys", QOS: "high", Partition: "a,b" } },
        ForbiddenFlags: ["--reservation", "licen"],
        Gres: { "nvidia.com/gpu": "gpu:a100", "example.com/fpga": "fpga" },
        Claims: [{ Namespace: "physics", Directory: "/data/{claim}" }],
        ContainerRuntime: "enroot",
      },
      {},
    );
    expect(options.allowedUids).toEqual([
      { first: 1000, last: 1999 },
      { first: 5, last: 5 },
    ]);
    expect(options.namespaces.get("physics")?.fixed).toEqual([
      { name: "account", value: "phys" },
      { name: "qos", value: "high" },
      { name: "partition", value: "a,b" },
    ]);
    expect([...options.forbiddenFlags]).toEqual(["reservation", "licenses"]);
    expect(options.gres.get("nvidia.com/gpu")).toBe("gpu:a100");
    expect(options.runtime).toMatchObject({ kind: "enroot", path: "enroot" });
  });

  it.each<[object, object]>([
    [{ ScontrolPath: "/s/scontrol" }, { commands: { scontrol: "/s/scontrol" } }],
    [{ SacctPath: "/s/sacct" }, { commands: { sacct: "/s/sacct" } }],
    [{ SrunPath: "/s/srun" }, { commands: { srun: "/s/srun" } }],
    [{ ContainerRuntime: "apptainer" }, { runtime: { kind: "singularity", path: "apptainer" } }],
    [
      { ContainerRuntime: "enroot", EnrootPath: "/e", EnrootPrefix: "nice -n 5" },
      { runtime: { kind: "enroot", path: "/e", prefix: ["nice", "-n", "5"] } },
    ],
    [{ ContainerRuntime: "enroot" }, { runtime: { defaultOptions: ["--rw"] } }],
    [
      { ContainerRuntime: "enroot", EnrootDefaultOptions: ["--root --rw"] },
      { runtime: { defaultOptions: ["--root", "--rw"] } },
    ],
    [
      { PullOnLoginNode: true, ImageCache: "/i", PullSeconds: 9 },
      { pullsBefore: true, pullSeconds: 9, runtime: { imageCache: "/i" } },
    ],
    [{ ExportPodData: false }, { exportPodData: false }],
    [{ SharedFileSystem: false }, { sharedFileSystem: false }],
    [{ EnableProbes: false }, { probes: false }],
    [
      { TmpDisk: true, Requeue: true },
      { tmpDisk: true, requeue: true },
    ],
    [
      { AllowShellAnnotations: true, AllowRuntimeOptions: false },
      { shellAnnotations: true, runtimeOptions: false },
    ],
    [{ HostPaths: ["/a"] }, { hostPaths: ["/a"] }],
    [
      { Claims: [{ Claim: "c", Directory: "/d", ReadOnly: true }] },
      { claims: [{ claim: "c", directory: "/d", readOnly: true }] },
    ],
    [
      { Partitions: ["a"], Pods: 7 },
      { partitions: ["a"], pods: 7 },
    ],
    [{ PassEnvironment: ["A"] }, { passEnvironment: ["A"] }],
    [
      { PollSeconds: 2, CommandSeconds: 3 },
      { pollSeconds: 2, commandSeconds: 3 },
    ],
    [
      { Flavors: { a: { Name: "b", Description: "text" } }, DefaultFlavor: "b" },
      { flavors: [{ name: "b", description: "text" }], defaultFlavor: "b" },
    ],
  ])("takes %j", (value, expected) => {
    expect(read(value).options).toMatchObject(expected);
  });

  it("fixes a namespace's reservation", () => {
    const { options } = read({ Namespaces: { a: { Reservation: "r" } } });
    expect(options.namespaces.get("a")?.fixed).toEqual([{ name: "reservation", value: "r" }]);
  });

  it("takes a tunnel, and its variables before the file", () => {
    const file = {
      Tsocks: false,
      TsocksLoginNode: "user@login1",
      TsocksPath: "/opt/a.so",
      TsocksSshPath: "/opt/ssh",
      TsocksSshOptions: ["-i '/a key'", "-v"],
      TsocksLocal: ["10.0.0.0/8"],
    };
    expect(read(file).options.tunnel).toBeUndefined();
    expect(read(file, { TSOCKS: "true", TSOCKSPATH: "/opt/b.so" }).options.tunnel).toEqual({
      ssh: "/opt/ssh",
      options: ["-i", "/a key", "-v"],
      node: "user@login1",
      library: "/opt/b.so",
      direct: ["10.0.0.0/8"],
    });
    expect(read({ Tsocks: true, TsocksLoginNode: "login1" }).options.tunnel).toEqual({
      ssh: "ssh",
      options: [],
      node: "login1",
      direct: [],
    });
    expect(() => read(file, { TSOCKS: "maybe" })).toThrow("TSOCKS");
  });

  it.each<[object | string, string]>([
    ["text", "f.yaml: it holds no keys"],
    [
      { Sbatchpath: "x" },
      'f.yaml:1: there is no key "Sbatchpath" here; did you mean "SbatchPath"?',
    ],
    [{ Flavors: { a: { Cpu: 1 } } }, 'f.yaml:1: there is no key "Cpu" here'],
    [{ DefaultUID: -1 }, "f.yaml:1: DefaultUID: give a whole number from 0"],
    [{ Tsocks: true }, "f.yaml: TsocksLoginNode: Tsocks needs the machine"],
    [{ Tsocks: true, TsocksLoginNode: "-oProxyCommand=id" }, "f.yaml: TsocksLoginNode"],
    [{ Tsocks: "maybe" }, "f.yaml:1: Tsocks: give true or false"],
    [{ Tsocks: true, TsocksLoginNode: "a", TsocksPath: "$WORK/x.so" }, "f.yaml: TsocksPath: give"],
    [
      { Tsocks: true, TsocksLoginNode: "a", TsocksLocal: ["10.0.0.0/33"] },
      'f.yaml: TsocksLocal: "10.0.0.0/33" is no network',
    ],
    [{ PullOnLoginNode: true }, "f.yaml: PullOnLoginNode: name the directory in ImageCache"],
    [{ DefaultFlavor: "x" }, 'f.yaml: DefaultFlavor: there is no flavor "x"'],
    [{ Namespaces: { a: { Flavor: "x" } } }, "f.yaml: Namespaces.a.Flavor: there is no flavor"],
    [{ Flavors: { a: { MemoryDefault: "1.5G" } } }, "f.yaml: MemoryDefault"],
    [{ Flavors: { a: { SlurmFlags: ["--uid=0"] } } }, "--uid is set by the plugin itself"],
    [{ SingularityPrefix: "'" }, "f.yaml: SingularityPrefix: a ' is not closed"],
    [{ AllowedUIDs: ["x"] }, "f.yaml: AllowedUIDs"],
    [{ ContainerRuntime: "docker" }, "f.yaml:1: ContainerRuntime: give one of singularity"],
    [
      { Taints: [{ Key: "a", Effect: "Sometimes" }] },
      "f.yaml:1: Taints.0.Effect: give one of NoSchedule",
    ],
    [{ Namespaces: { a: { Account: "x y" } } }, "f.yaml:1: Namespaces.a.Account: give text"],
  ])("says of %j what is wrong", (value, words) => {
    expect(() => read(value)).toThrow(words);
  });
});

it("describes every key, for whoever asks what there is to set", () => {
  // A list of names with plain values is described as one line, that of its values.
  const isDescribed = (schema: object): boolean => {
    const { patternProperties = {} } = schema as { patternProperties?: Record<string, object> };
    const values = Object.values(patternProperties);
    return (
      "description" in schema ||
      "ignored" in schema ||
      (values.length > 0 && values.every((value) => "description" in value))
    );
  };
  const undescribed = (schema: object, path: string): string[] => {
    const { properties = {} } = schema as { properties?: Record<string, object> };
    const { items, patternProperties = {} } = schema as {
      items?: object;
      patternProperties?: Record<string, object>;
    };
    const own = Object.entries(properties).flatMap(([key, value]) => [
      ...(isDescribed(value) ? [] : [`${path}${key}`]),
      ...undescribed(value, `${path}${key}.`),
    ]);
    const inner = [...Object.values(patternProperties), ...(items ? [items] : [])];
    return [...own, ...inner.flatMap((one) => undescribed(one, `${path}*.`))];
  };
  expect(undescribed(SLURM_CONFIG, "")).toEqual([]);
});
