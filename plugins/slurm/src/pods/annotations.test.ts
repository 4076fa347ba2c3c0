import { PluginError } from "@interlink/plugin-sdk";
import { describe, expect, it } from "vitest";
import { readSlurmConfig } from "../config/slurm-config.ts";
import { mpiLauncher, readAnnotations } from "./annotations.ts";

const read = (annotations: Record<string, string>, site: object = {}) =>
  readAnnotations(
    { metadata: { annotations } },
    readSlurmConfig({ file: { name: "f.yaml", text: JSON.stringify(site) }, env: {} }).options,
  );

describe("readAnnotations", () => {
  it("reads all of them", () => {
    const wishes = read(
      {
        "slurm-job.vk.io/flags": "-p gpu --mail-user 'a b'",
        "slurm-job.vk.io/flavor": "big",
        "slurm-job.vk.io/image-root": "",
        "slurm-job.vk.io/singularity-mounts": "--bind '/a b:/c'",
        "slurm-job.vk.io/singularity-options": "--fakeroot --env A=$(x)",
        "slurm-job.vk.io/enroot-options": "--ignored",
        "slurm-job.vk.io/mpi-flags": "--map-by 'ppr:1:node'",
        "slurm-job.vk.io/pre-exec": "module load x",
        "interlink.eu/wstunnel-client-commands": "./wstunnel client &",
        "interlink.eu/pod-ip": "10.0.0.1",
      },
      { AllowShellAnnotations: true },
    );
    expect(wishes).toEqual({
      flags: [
        { name: "partition", value: "gpu" },
        { name: "mail-user", value: "a b" },
      ],
      flavor: "big",
      imagePrefix: "",
      runtimeOptions: ["--bind", "/a b:/c", "--fakeroot", "--env", "A=$(x)"],
      mpiFlags: ["--map-by", "ppr:1:node"],
      shell: ["./wstunnel client &", "module load x"],
      podIp: "10.0.0.1",
    });
    expect(read({})).toEqual({ flags: [], runtimeOptions: [], shell: [] });
  });

  it("tells the script of a mesh from the rest of the shell text", () => {
    const text = "cat <<'EOFMESH' > $TMPDIR/mesh.sh\n\"$@\"\nEOFMESHmodule load x";
    const wishes = read({ "slurm-job.vk.io/pre-exec": text }, { AllowShellAnnotations: true });
    expect(wishes).toMatchObject({ mesh: '"$@"\n', shell: ["module load x"] });
  });

  it("reads those of the runtime that the site has", () => {
    const annotations = {
      "slurm-job.vk.io/singularity-options": "--nv",
      "slurm-job.vk.io/enroot-mounts": "--mount /a:/b",
    };
    const wishes = read(annotations, { ContainerRuntime: "enroot" });
    expect(wishes.runtimeOptions).toEqual(["--mount", "/a:/b"]);
  });

  it.each<[string, string, object, string]>([
    ["slurm-job.vk.io/flags", "--uid=0", {}, "--uid is set by the plugin itself"],
    ["slurm-job.vk.io/flags", "-p 'x", {}, "a ' is not closed"],
    ["slurm-job.vk.io/flags", "-q high", { ForbiddenFlags: ["qos"] }, "does not allow --qos"],
    ["slurm-job.vk.io/pre-exec", "id", {}, "AllowShellAnnotations"],
    ["interlink.eu/wstunnel-client-commands", "id", {}, "AllowShellAnnotations"],
    [
      "slurm-job.vk.io/singularity-options",
      "--writable",
      { AllowRuntimeOptions: false },
      "options",
    ],
    ["interlink.eu/pod-ip", "1; id", {}, "it is not an address"],
  ])("refuses %s: %s under %j", (name, text, site, why) => {
    expect(() => read({ [name]: text }, site)).toThrow(PluginError);
    expect(() => read({ [name]: text }, site)).toThrow(`The annotation ${name} cannot be used`);
    expect(() => read({ [name]: text }, site)).toThrow(why);
  });
});

it.each([
  [[], "1"],
  [[{ name: "ntasks", value: "8" }], "8"],
  [
    [
      { name: "nodes", value: "2" },
      { name: "ntasks-per-node", value: "4" },
    ],
    "8",
  ],
  [[{ name: "nodes", value: "3" }], "3"],
])("launches as many processes as tasks: %j", (flags, tasks) => {
  expect(mpiLauncher(["-x"], flags)).toEqual(["mpiexec", "-np", tasks, "-x"]);
  expect(mpiLauncher(undefined, flags)).toEqual([]);
});
