import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readPluginConfig } from "./plugin-config.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "plugin-config-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

async function read(text: string): ReturnType<typeof readPluginConfig> {
  const file = join(folder, "docker.yaml");
  await writeFile(file, text);
  return readPluginConfig("docker", file, {});
}

it("reads a file of YAML, and none", async () => {
  const text = "hostPaths: [/data]\nclaims:\n  - directory: /claims/{namespace}/{claim}\n";
  expect(await read(text)).toEqual({
    options: { hostPaths: ["/data"], claims: [{ directory: "/claims/{namespace}/{claim}" }] },
    notices: [],
    file: join(folder, "docker.yaml"),
  });
  const nothing = { options: {}, notices: [] };
  expect(await read("# nothing yet\n")).toMatchObject(nothing);
  expect(await readPluginConfig("docker", undefined, {})).toEqual(nothing);
  expect(await readPluginConfig("process", undefined, {})).toEqual(nothing);
});

it("reads the example of the documentation", async () => {
  const page = new URL("../../../docs/plugins/docker.md", import.meta.url);
  const [, example = ""] = /```yaml\n(.*?)```/s.exec(await readFile(page, "utf8")) ?? [];
  const { options } = await read(example);
  expect(options).toMatchObject({ hostPaths: ["/data/public"], claims: { length: 3 } });
});

it("finds the file of an earlier Docker plugin by its variable, unless another is named", async () => {
  const file = join(folder, "InterLinkConfig.yaml");
  await writeFile(file, "SidecarPort: 4000\nDataRootFolder: jobs/\n");
  const env = { INTERLINKCONFIGPATH: file };
  expect(await readPluginConfig("docker", undefined, env)).toMatchObject({ root: "jobs/" });
  await writeFile(join(folder, "own.yaml"), "DataRootFolder: own/\n");
  expect(await readPluginConfig("docker", join(folder, "own.yaml"), env)).toMatchObject({
    root: "own/",
  });
});

it("says which file, and what is wrong with it", async () => {
  await expect(read("hostPath: []\n")).rejects.toThrow(
    /docker\.yaml:1: there is no key "hostPath" here; did you mean "hostPaths"\?/,
  );
  await expect(readPluginConfig("docker", join(folder, "no.yaml"), {})).rejects.toThrow(
    /no\.yaml cannot be read: there is no such file/,
  );
  await expect(readPluginConfig("process", "x.yaml", {})).rejects.toThrow("leave --config out");
});

it("reads the file of the Slurm plugin, which a variable may name", async () => {
  const file = join(folder, "slurm.yaml");
  await writeFile(file, "SbatchPath: /opt/sbatch\nDataRootFolder: /data\n");
  const config = await readPluginConfig("slurm", undefined, { SLURMCONFIGPATH: file });
  expect(config).toMatchObject({ root: "/data", slurm: { commands: { sbatch: "/opt/sbatch" } } });
  await writeFile(file, "Sbatch: 1\n");
  await expect(readPluginConfig("slurm", file, {})).rejects.toThrow(
    /slurm\.yaml:\d+: there is no key/,
  );
});
