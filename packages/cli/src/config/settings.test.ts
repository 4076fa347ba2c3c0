import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CliError } from "../cli-error.ts";
import { DOCKER_CONFIG_PLACE, SLURM_CONFIG_PLACE } from "../plugin-config.ts";
import { loadConfig } from "./config-file.ts";
import { NODE_CONFIG_PLACE, nodeSettings, readNodeConfig } from "./node-config.ts";
import { readServerConfig, SERVER_CONFIG_PLACE, serverSettings } from "./server-config.ts";

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "interlink-config-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function written(text: string): Promise<string> {
  const file = join(directory, "a.yaml");
  await writeFile(file, text);
  return file;
}

async function node(text: string, env: Record<string, string> = {}) {
  const file = await written(text);
  return nodeSettings((await loadConfig(readNodeConfig, NODE_CONFIG_PLACE, file, env)).value);
}

async function server(text: string, env: Record<string, string> = {}) {
  const file = await written(text);
  return serverSettings((await loadConfig(readServerConfig, SERVER_CONFIG_PLACE, file, env)).value);
}

/** One file for all three processes, as the first design had it. */
const OLDER = `
VKTokenFile: "/run/token"
InterlinkURL: "http://127.0.0.1"
SidecarURL: "http://127.0.0.2"
InterlinkPort: "3000"
SidecarPort: "4000"
SbatchPath: "/usr/bin/sbatch"
ScancelPath: "/usr/bin/scancel"
SqueuePath: "/usr/bin/squeue"
CommandPrefix: ""
ExportPodData: true
DataRootFolder: ".local/interlink/jobs/"
ServiceAccount: "interlink"
Namespace: "vk"
Tsocks: false
TsocksPath: "/opt/libtsocks.so"
TsocksLoginNode: "login01"
`;

describe("the older file of all processes", () => {
  test("tells a virtual node where the API server is, and its token", async () => {
    expect(await node(OLDER)).toEqual({
      site: "http://127.0.0.1:3000",
      tokenFile: "/run/token",
    });
  });

  test("tells an API server its port and its plugin", async () => {
    expect(await server(OLDER)).toEqual({ plugin: "http://127.0.0.2:4000", listen: ":3000" });
  });

  test("gives way to the variables", async () => {
    const env = { INTERLINKPORT: "3100", SIDECARPORT: "4100", VKTOKENFILE: "/dev/null" };
    expect(await node(OLDER, env)).toEqual({ site: "http://127.0.0.1:3100" });
    expect(await server(OLDER, env)).toEqual({ plugin: "http://127.0.0.2:4100", listen: ":3100" });
  });
});

test("a chart's file tells a virtual node everything that it can be told", async () => {
  const text = `
InterlinkURL: unix:///var/run/interlink.sock
InterlinkPort: unix:///var/run/interlink.sock-1
VerboseLogging: true
ErrorsOnlyLogging: true
KubernetesApiAddr: api.example.org
KubernetesApiPort: 6443
KubeletCertFile: /certs/tls.crt
KubeletKeyFile: /certs/tls.key
DisableCSR: true
HTTP:
  Insecure: true
  CaCert: /certs/ca.crt
Resources:
  CPU: 100
  Memory: 128Gi
  Pods: "1000"
  Accelerators:
    - ResourceType: nvidia.com/gpu
      Model: a100
      Available: 8
    - ResourceType: xilinx.com/fpga
NodeLabels:
  - accelerator=a100
NodeTaints:
  - Key: special
    Value: "yes"
    Effect: NoExecute
  - Key: other
`;
  const env = { NODENAME: "hpc", POD_IP: "10.1.2.3", KUBELET_PORT: "10250", KUBELET_URL: "::" };
  expect(await node(text, env)).toEqual({
    name: "hpc",
    site: "unix:///var/run/interlink.sock",
    siteCa: "/certs/ca.crt",
    siteInsecure: true,
    address: "10.1.2.3",
    kubeletHost: "::",
    kubeletPort: "10250",
    kubeletCert: "/certs/tls.crt",
    kubeletKey: "/certs/tls.key",
    apiAddress: "api.example.org:6443",
    cpu: "100",
    memory: "128Gi",
    pods: "1000",
    resource: ["nvidia.com/gpu=8", "xilinx.com/fpga=0"],
    label: ["accelerator=a100"],
    taint: ["special=yes:NoExecute", "other:NoSchedule"],
    logLevel: "debug",
  });
});

describe("TLS", () => {
  const TLS = "TLS:\n  Enabled: true\n  CertFile: /c\n  KeyFile: /k\n  CACertFile: /ca\n";

  test("gives an API server its certificate, and the authority of its callers'", async () => {
    const text = `InterlinkAddress: https://0.0.0.0\nInterlinkPort: 443\n${TLS}`;
    const tls = { cert: "/c", key: "/k", clientCa: "/ca" };
    expect(await server(text)).toEqual({ listen: "0.0.0.0:443", tls });
  });

  test("gives a virtual node the certificate that it shows, and the authority of the site's", async () => {
    const siteCertificate = { cert: "/c", key: "/k" };
    expect(await node(TLS)).toEqual({ siteCertificate, siteCa: "/ca" });
  });

  test("that is not enabled counts for nothing", async () => {
    const off = TLS.replace("true", "false");
    expect(await server(off)).toEqual({});
    expect(await node(off)).toEqual({});
  });

  test("without a certificate stops an API server", async () => {
    await expect(server("TLS: { Enabled: true }")).rejects.toThrow(/give TLS\.CertFile/);
  });
});

test("a template of job scripts is a file", async () => {
  expect(await server("JobScriptTemplate: /etc/template")).toEqual({
    jobScriptTemplate: "/etc/template",
  });
  expect(await server('JobScriptTemplate: ""')).toEqual({});
});

test("what a builder of job scripts is told has the file's names, and then the wire's", async () => {
  const { jobConfig } = await server(`
JobScriptBuildConfig:
  singularity_hub: { server: hub.example.org, cache_validity_seconds: 60 }
  apptainer_options: { executable: apptainer, fuse_mode: host-privileged, no_init: true, nvidia_support: true }
  volumes_options: { scratch_area: /scratch, additional_directories_in_path: [/opt] }
`);
  expect(jobConfig).toMatchObject({
    SingularityHubProxy: {
      server: "hub.example.org",
      master_token: "",
      cache_validity_seconds: 60,
    },
    ApptainerOptions: {
      executable: "apptainer",
      fuseMode: "host-privileged",
      noInit: true,
      noHome: false,
      nvidiaSupport: true,
      cleanenv: false,
    },
    Volumes: { scratch_area: "/scratch", additional_directories_in_path: ["/opt"] },
  });
  expect(await server("JobScriptBuildConfig: {}")).toHaveProperty(
    "jobConfig.Volumes.image_dir",
    "",
  );
  expect(await server("")).not.toHaveProperty("jobConfig");
  expect(await node("JobScriptBuilderURL: http://b:8000/x")).toEqual({
    jobscriptURL: "http://b:8000/x",
  });
});

test("an API server limits bodies and callers as the file says", async () => {
  expect(await server("BodyLimits: { Create: 2048 }\nRateLimit: { PerSecond: 0.5 }")).toEqual({
    limits: { createBytes: 2048 },
    rateLimit: { perSecond: 0.5, burst: 100 },
  });
  await expect(server("RateLimit: { PerSecond: 0 }")).rejects.toThrow("RateLimit.PerSecond");
});

test("tokens of an issuer are taken as the file says", async () => {
  const text = `
OIDC:
  Issuer: https://iam.example.org/
  Audience: interlink
  RequiredClaims:
    groups: [hpc]
`;
  expect(await server(text)).toEqual({
    issuer: {
      issuer: "https://iam.example.org/",
      audience: "interlink",
      claims: { groups: ["hpc"] },
    },
  });
  const limits = "  NamespaceClaim: groups\n  Namespaces: { /hpc: [hpc, hpc-*] }\n";
  expect(await server(`${text}${limits}`)).toMatchObject({
    issuer: { namespaces: { claim: "groups", mapping: { "/hpc": ["hpc", "hpc-*"] } } },
  });
  await expect(server(`${text}  Namespaces: { a: [b] }\n`)).rejects.toThrow("OIDC.NamespaceClaim");
  await expect(server("OIDC: { Issuer: iam.example.org }")).rejects.toThrow(
    /OIDC\.Audience: it is missing[^]*OIDC\.Issuer: give text/,
  );
});

test("a file that is named must be there, the usual one need not", async () => {
  const missing = join(directory, "missing.yaml");
  const place = { variables: ["CONFIGPATH"], usual: missing };
  await expect(loadConfig(readNodeConfig, place, missing, {})).rejects.toThrow(CliError);
  await expect(
    loadConfig(readNodeConfig, place, undefined, { CONFIGPATH: missing }),
  ).rejects.toThrow(/there is no such file/);
  expect(await loadConfig(readNodeConfig, place, undefined, {})).not.toHaveProperty("file");
});

test.each([
  ["node", NODE_CONFIG_PLACE, ["CONFIGPATH", "VK_CONFIG_PATH"]],
  ["server", SERVER_CONFIG_PLACE, ["INTERLINKCONFIGPATH"]],
  ["docker", DOCKER_CONFIG_PLACE, ["INTERLINKCONFIGPATH"]],
  ["slurm", SLURM_CONFIG_PLACE, ["SLURMCONFIGPATH"]],
] as const)(
  "the file of %s is the one of the flag, else of the variables of existing installations, else the usual one",
  async (role, place, variables) => {
    const names = ["flag", ...variables, "usual"];
    const files = new Map<string, string>();
    for (const name of names) {
      const file = join(directory, `${role}-${name}.yaml`);
      await writeFile(file, "", { mode: 0o600 });
      files.set(name, file);
    }
    const at = { variables: place.variables, usual: files.get("usual") ?? "" };
    const found = async (given: readonly string[]) => {
      const env = Object.fromEntries(variables.map((name) => [name, files.get(name)]));
      const set = Object.fromEntries(Object.entries(env).filter(([name]) => given.includes(name)));
      const flag = given.includes("flag") ? files.get("flag") : undefined;
      return loadConfig<object>(() => ({}), at, flag, set);
    };
    for (let first = 0; first < names.length; first++) {
      const file = files.get(names[first] ?? "");
      expect(await found(names.slice(first))).toEqual({ file });
    }
    // A variable that is set to nothing names none.
    const empty = { [variables[0]]: "" };
    expect(await loadConfig(() => ({}), at, undefined, empty)).toEqual({
      file: files.get("usual"),
    });
  },
);
