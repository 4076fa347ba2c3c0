import { describe, expect, it } from "vitest";
import { readDockerConfig } from "./docker-config.ts";

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
    expect(readDockerConfig(options, {})).toEqual({ options, notices: [] });
    expect(readDockerConfig(undefined, {})).toEqual({ options: {}, notices: [] });
  });

  it.each<[object | string, string]>([
    [{ hostpaths: [] }, 'f.yaml: the unknown key "hostpaths"; did you mean "hostPaths"?'],
    [
      { claims: [{ directry: "/x" }] },
      'claims[0] has the unknown key "directry"; did you mean "directory"?',
    ],
    [{ entirelyDifferent: 1 }, 'f.yaml: the unknown key "entirelyDifferent"'],
    [{ pods: "many" }, "f.yaml: pods must be"],
    [{ forbid: ["root"] }, "f.yaml: forbid[0] must be"],
    [{ devices: [{ resource: "gpu", units: [] }] }, "f.yaml: devices[0].resource must match"],
    [
      { devices: [{ resource: "a.b/c", units: [{ id: "0" }, { id: "0" }] }] },
      "f.yaml: devices lists a.b/c 0 twice",
    ],
    [{ images: { prePull: ["Not An Image"] } }, 'f.yaml: images.prePull has "Not An Image"'],
    [{ images: { prepull: [] } }, 'images has the unknown key "prepull"; did you mean "prePull"?'],
    [{ images: { garbageCollection: { lowPercent: 90 } } }, "lowPercent must not be above"],
    [
      { images: { garbageCollection: { highPercent: 101 } } },
      "f.yaml: images.garbageCollection.highPercent must be",
    ],
    ["text", "f.yaml holds no keys"],
  ])("says of %j what is wrong", (value, words) => {
    expect(() => readDockerConfig(value, {}, "f.yaml")).toThrow(words);
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
    expect(readDockerConfig(file, env)).toEqual({
      options: { pods: 5 },
      root: ".interlink/",
      listen: "127.0.0.1:4001",
      logLevel: "debug",
      notices: [
        "SbatchPath is ignored: it had no effect in the earlier plugin either.",
        "AVAILABLEDINDS is ignored: pods run on the engine itself, so nothing has to be kept ready.",
        "GPUENABLED is ignored: list the GPUs under devices in the configuration file.",
        "SidecarPort listens on 127.0.0.1 only; use --listen to open it to others.",
      ],
    });
    expect(readDockerConfig({ Socket: "unix:///run/p.sock", SidecarPort: 1 }, {})).toMatchObject({
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
    "GPUENABLED FPGAENABLED FPGA_DISABLE_BOOKKEEPING ENABLE_TRACING TELEMETRY_UNIQUE_ID TELEMETRY_ENDPOINT " +
    "TELEMETRY_CA_CRT_FILEPATH TELEMETRY_CLIENT_KEY_FILEPATH TELEMETRY_CLIENT_CRT_FILEPATH"
  )
    .split(" ")
    .map((name): [string, string, "ignored"] => [name, "1", "ignored"]),
];

it.each(OLDER_KEYS)("takes the earlier plugin's key %s (%j): %j", (key, value, expected) => {
  const { options, notices, ...rest } = readDockerConfig({ [key]: value }, {});
  expect(options).toEqual({});
  if (expected !== "ignored") return expect(rest).toEqual(expected);
  expect(rest).toEqual({});
  expect(notices).toEqual([expect.stringMatching(`^${key} is ignored: .+\\.$`)]);
});

it.each(OLDER_VARIABLES)(
  "takes the earlier plugin's variable %s (%j): %j",
  (name, value, expected) => {
    const { notices, options: _, ...rest } = readDockerConfig({}, { [name]: value });
    if (expected !== "ignored") return expect(rest).toEqual(expected);
    expect(rest).toEqual({});
    expect(notices).toEqual([expect.stringMatching(`^${name} is ignored: .+\\.$`)]);
  },
);
