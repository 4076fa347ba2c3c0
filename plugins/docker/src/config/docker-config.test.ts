import { describe, expect, it } from "vitest";
import { type DockerConfig, readDockerConfig } from "./docker-config.ts";

/** JSON is YAML. */
function read(file: unknown, env: Record<string, string> = {}): DockerConfig {
  if (file === undefined) return readDockerConfig({ env });
  const text = typeof file === "string" ? file : JSON.stringify(file, undefined, 1);
  return readDockerConfig({ file: { name: "f.yaml", text }, env });
}

describe("readDockerConfig", () => {
  it("takes every option by its own name", () => {
    const options = {
      dockerHost: "ssh://engine",
      plugin: "site-a",
      network: "pods",
      pods: 30,
      log: { maxSize: "1m", maxFiles: 2 },
      dns: { clusterDns: ["10.96.0.10"], clusterDomain: "c.test" },
      runtimeClasses: { fast: "crun" },
      seccompProfiles: "/etc/seccomp",
      hostPaths: ["/data"],
      hostIP: "192.0.2.1",
      forbid: ["privileged", "hostNetwork"],
      allowUnheldMounts: true,
      images: {
        prePull: ["r.test/base:1"],
        prePullSecrets: "/etc/interlink/logins.json",
        garbageCollection: {
          highPercent: 90,
          lowPercent: 70,
          minAgeSeconds: 60,
          space: "200Gi",
          others: true,
        },
      },
      claims: [{ namespace: "a", claim: "b", directory: "/data/{claim}", readOnly: true }],
      devices: [
        { resource: "nvidia.com/gpu", kind: "nvidia", units: [{ id: "0" }, { id: "1" }] },
        {
          resource: "amd.com/gpu",
          units: [{ id: "0", devices: ["/dev/x"] }],
          shared: ["/dev/kfd"],
        },
      ],
    };
    expect(read(options, {})).toEqual({ options, notices: [] });
    expect(read(undefined, {})).toEqual({ options: {}, notices: [] });
  });

  it.each<[object | string, string]>([
    ["hostpaths: []", 'f.yaml:1: there is no key "hostpaths" here; did you mean "hostPaths"?'],
    [
      "claims:\n  - directry: /x",
      'f.yaml:2: there is no key "directry" here; did you mean "directory"?',
    ],
    [{ entirelyDifferent: 1 }, 'f.yaml:2: there is no key "entirelyDifferent" here'],
    ["pods: many", "f.yaml:1: pods: give a whole number, at least 1."],
    [{ forbid: ["root"] }, "forbid.0: give one of privileged,"],
    [
      { devices: [{ resource: "gpu", units: [] }] },
      "devices.0.resource: give text. (it must match",
    ],
    [
      { devices: [{ resource: "a.b/c", units: [{ id: "0" }, { id: "0" }] }] },
      "f.yaml: devices lists a.b/c 0 twice",
    ],
    [{ images: { prePull: ["Not An Image"] } }, 'f.yaml: images.prePull has "Not An Image"'],
    [{ images: { prepull: [] } }, 'there is no key "prepull" here; did you mean "prePull"?'],
    [{ images: { garbageCollection: { lowPercent: 90 } } }, "lowPercent must not be above"],
    [
      "images:\n  garbageCollection:\n    highPercent: 101",
      "f.yaml:3: images.garbageCollection.highPercent: give a whole number from 1 to 100.",
    ],
    ["text", "f.yaml: it holds no keys"],
    ["a: [", "f.yaml:1: "],
  ])("says of %j what is wrong", (value, words) => {
    expect(() => read(value)).toThrow(words);
  });

  it("takes what it can of an earlier plugin's file and variables, and says what it ignores", () => {
    const file = {
      SidecarPort: "4000",
      DataRootFolder: ".interlink/",
      VerboseLogging: true,
      SbatchPath: "/usr/bin/sbatch",
      pods: 5,
    };
    const env = { SIDECARPORT: "4001", AVAILABLEDINDS: "4", GPUENABLED: "1", FPGAENABLED: "0" };
    expect(read(file, env)).toEqual({
      options: { pods: 5 },
      root: ".interlink/",
      listen: "127.0.0.1:4001",
      logLevel: "debug",
      notices: [
        "f.yaml:5: SbatchPath is ignored: it had no effect in the earlier plugin either.",
        "AVAILABLEDINDS is ignored: pods run on the engine itself, so nothing has to be kept ready.",
        "GPUENABLED is ignored: list the GPUs under devices in the configuration file.",
        "SidecarPort listens on 127.0.0.1 only; use --listen to open it to others.",
      ],
    });
    expect(read({ Socket: "unix:///run/p.sock", SidecarPort: 1 }, {})).toMatchObject({
      listen: "unix:///run/p.sock",
      notices: [],
    });
  });
});

/** Everything that the earlier plugin read (interlink-other-plugins.md section 2.2), and what becomes of it. */
const OLDER_KEYS: [string, unknown, object | "ignored"][] = [
  ["SidecarPort", "4000", { listen: "127.0.0.1:4000" }],
  ["SidecarPort", 4000, { listen: "127.0.0.1:4000" }],
  ["Socket", "unix:///run/p.sock", { listen: "unix:///run/p.sock" }],
  ["DataRootFolder", ".interlink/", { root: ".interlink/" }],
  ["VerboseLogging", true, { logLevel: "debug" }],
  ["ErrorsOnlyLogging", true, { logLevel: "error" }],
  ...(
    "VKConfigPath VKTokenFile InterlinkURL SidecarURL SbatchPath ScancelPath SqueuePath InterlinkPort CommandPrefix " +
    "ExportPodData ServiceAccount Namespace Tsocks TsocksPath TsocksConfig TsocksLoginNode BashPath PodIP SingularityPrefix"
  )
    .split(" ")
    .map((key): [string, unknown, "ignored"] => [key, "x", "ignored"]),
];
const OLDER_VARIABLES: [string, string, object | "ignored"][] = [
  ["SIDECARPORT", "4000", { listen: "127.0.0.1:4000" }],
  ...(
    "INTERLINKURL SIDECARURL INTERLINKPORT SBATCHPATH SCANCELPATH POD_IP TSOCKS TSOCKSPATH VKTOKENFILE AVAILABLEDINDS " +
    "GPUENABLED FPGAENABLED FPGA_DISABLE_BOOKKEEPING"
  )
    .split(" ")
    .map((name): [string, string, "ignored"] => [name, "1", "ignored"]),
];

it.each(OLDER_KEYS)("takes the earlier plugin's key %s (%j): %j", (key, value, expected) => {
  const { options, notices, ...rest } = read({ [key]: value }, {});
  expect(options).toEqual({});
  if (expected !== "ignored") return expect(rest).toEqual(expected);
  expect(rest).toEqual({});
  expect(notices).toEqual([expect.stringMatching(`^f\\.yaml:2: ${key} is ignored: .+\\.$`)]);
});

it.each(OLDER_VARIABLES)(
  "takes the earlier plugin's variable %s (%j): %j",
  (name, value, expected) => {
    const { notices, options: _, ...rest } = read({}, { [name]: value });
    if (expected !== "ignored") return expect(rest).toEqual(expected);
    expect(rest).toEqual({});
    expect(notices).toEqual([expect.stringMatching(`^${name} is ignored: .+\\.$`)]);
  },
);

it("takes the engine from the variable before the file", () => {
  expect(read({ dockerHost: "unix:///file" }, { DOCKER_HOST: "unix:///variable" }).options).toEqual(
    { dockerHost: "unix:///variable" },
  );
});
