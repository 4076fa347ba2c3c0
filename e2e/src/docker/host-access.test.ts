import {
  mkdir,
  mkdtemp,
  readFile,
  realpath,
  rename,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HeldMounts, MountKeeper } from "@interlink/plugin-docker";
import type { Container, ContainerStatus, PodSpec, VolumeMount } from "kubernetes-types/core/v1.js";
import pino from "pino";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeEngines } from "../systems/describe-system.ts";
import { BUSYBOX } from "../systems/images.ts";
import { ProviderFixture } from "./provider-fixture.ts";
import { RuntimeFixture } from "./runtime-fixture.ts";

const SECRET = "not for pods\n";

const busybox = (name: string, script: string, more: Partial<Container> = {}): Container => ({
  name,
  image: BUSYBOX,
  imagePullPolicy: "IfNotPresent",
  command: ["sh", "-c", script],
  ...more,
});
const at = (mountPath: string, more: Partial<VolumeMount> = {}): VolumeMount => ({
  name: "v",
  mountPath,
  ...more,
});
const isDecided = ({ state }: ContainerStatus): boolean =>
  state?.terminated !== undefined ||
  state?.waiting?.reason?.startsWith("CreateContainer") === true ||
  state?.waiting?.reason === "StartError";

describeEngines("what pods try to reach on a real engine", (engine) => {
  let site: string;
  let fixture: ProviderFixture;
  beforeAll(async () => {
    site = await realpath(await mkdtemp(join(tmpdir(), "interlink-site-")));
    await mkdir(join(site, "open"), { mode: 0o777 });
    await mkdir(join(site, "closed"));
    await writeFile(join(site, "closed/secret"), SECRET);
    fixture = await ProviderFixture.open(engine.host, {
      hostPaths: [join(site, "open")],
      claims: [{ claim: "data*", directory: join(site, "claims/{namespace}/{claim}") }],
    });
  });
  afterAll(async () => {
    await fixture[Symbol.asyncDispose]();
    await rm(site, { recursive: true });
    // Nothing is mounted any more that the plugin held.
    expect(await readFile("/proc/self/mountinfo", "utf8")).not.toContain(fixture.plugin);
  });

  /** What each container says, or why it does not run. */
  async function tellEach(spec: PodSpec): Promise<string[]> {
    const data = await fixture.create(spec);
    const told: string[] = [];
    for (const { name } of spec.containers) {
      const { state } = await fixture.containerWhere(data, name, isDecided);
      told.push(state?.waiting?.message ?? (await fixture.log(data, name)));
    }
    await fixture.remove(data, 0);
    return told;
  }

  const look = "cat /w/secret /w/inside 2>/dev/null; true";
  /** Exchanges `d` in the volume for a link to the closed directory, and back, as fast as it can. */
  const exchanger = (): Container =>
    busybox(
      "exchanger",
      `cd /v; mkdir -p d; echo inside > d/inside
      while true; do mv -T d e; rm -rf d; ln -sT ${join(site, "closed")} d; rm -rf d; mv -T e d; done`,
      { volumeMounts: [at("/v")] },
    );

  it("not by exchanging a subPath for a link while it is mounted", async () => {
    const told = await tellEach({
      initContainers: [{ ...exchanger(), restartPolicy: "Always" }],
      containers: Array.from({ length: 6 }, (_, i) =>
        busybox(`reader-${i}`, look, { volumeMounts: [at("/w", { subPath: "d" })] }),
      ),
      volumes: [{ name: "v", emptyDir: {} }],
    });
    expect(told).toHaveLength(6);
    expect(told.join("")).not.toContain(SECRET);
  });

  it("not by exchanging for a link what is mounted when its container starts", async () => {
    const root = join(site, "exchanged");
    await mkdir(join(root, "d"), { recursive: true });
    await writeFile(join(root, "d/inside"), "inside\n");
    const mounts = [{ hostPath: join(root, "d"), within: root, mountPath: "/w", readOnly: false }];
    const read = async (runtime: RuntimeFixture): Promise<string> => {
      const container = busybox("main", look);
      const handle = await runtime.create(await runtime.pod([container]), container, { mounts });
      await rename(join(root, "d"), join(root, "e"));
      await symlink(join(site, "closed"), join(root, "d"));
      try {
        await runtime.runtime.startContainer(handle, runtime.signal);
        await runtime.ended(handle);
        return await runtime.log(handle);
      } finally {
        await rm(join(root, "d"));
        await rename(join(root, "e"), join(root, "d"));
      }
    };
    await using trusting = await RuntimeFixture.open(engine.host);
    expect(await read(trusting)).toBe(SECRET);
    const keeper = new MountKeeper({
      allowUnheld: false,
      held: new HeldMounts(`/run/interlink/${fixture.plugin}-exchanged`),
      logger: pino({ level: "silent" }),
    });
    await using careful = await RuntimeFixture.open(engine.host, undefined, { mounts: keeper });
    expect(await read(careful)).toBe("inside\n");
    await rename(join(root, "d"), join(root, "e"));
    await symlink(join(site, "closed"), join(root, "d"));
    await expect(careful.run(busybox("main", look), { mounts })).rejects.toMatchObject({
      code: "InvalidConfig",
      message: expect.stringContaining("it was changed meanwhile (ELOOP)") as string,
    });
  });

  it("not through links to another pod's directory, or to the plugin's own", async () => {
    const victim = await fixture.create({
      containers: [busybox("main", "echo x > /w/f; sleep 1000", { volumeMounts: [at("/w")] })],
      volumes: [{ name: "v", emptyDir: {} }],
    });
    await fixture.running(victim, "main");
    const { root } = fixture.options();
    const links = [
      root,
      join(root, "jobs", victim.pod.metadata?.uid ?? "", "volumes/v"),
      "../../../../..",
      `../../../${victim.pod.metadata?.uid}`,
      "/proc/self/root",
      "..",
    ];
    const make = links.map((target, i) => `ln -s ${target} /v/link-${i}`).join("; ");
    const [...told] = await tellEach({
      initContainers: [busybox("init", make, { volumeMounts: [at("/v")] })],
      containers: links.map((_, i) =>
        busybox(`c-${i}`, "echo entered", { volumeMounts: [at("/w", { subPath: `link-${i}` })] }),
      ),
      volumes: [{ name: "v", emptyDir: {} }],
    });
    for (const words of told) expect(words).toContain("failed to prepare subPath");
    await fixture.remove(victim, 0);
  });

  it.each([
    ["a subPath", (path: string) => at("/v", { subPath: `x,source=${path}` })],
    ["a mount path", (path: string) => at(`/v,source=${path}`)],
  ])("not by %s that reads like options of a mount", async (_, mount) => {
    const volumeMounts = [mount(join(site, "closed"))];
    const [told] = await tellEach({
      containers: [busybox("main", "cat /v/secret /v*/secret; ls /v*; true", { volumeMounts })],
      volumes: [{ name: "v", emptyDir: {} }],
    });
    expect(told).not.toContain(SECRET);
  });

  it("not by a path of the host that reads like options of a mount", async () => {
    const path = `${join(site, "open")}/x,source=${join(site, "closed")}`;
    const [told] = await tellEach({
      containers: [busybox("main", look, { volumeMounts: [at("/w")] })],
      volumes: [{ name: "v", hostPath: { path, type: "DirectoryOrCreate" } }],
    });
    expect(told).toBe("");
  });

  it("not by names that are paths", async () => {
    const main = busybox("main", "true", { volumeMounts: [at("/w")] });
    const volumes = [{ name: "v", emptyDir: {} }];
    for (const spec of [
      { containers: [{ ...main, name: "../../../x" }], volumes },
      {
        containers: [{ ...main, volumeMounts: [{ name: "..", mountPath: "/w" }] }],
        volumes: [{ name: "..", emptyDir: {} }],
      },
      {
        containers: [main],
        volumes: [
          { name: "v", emptyDir: {} },
          { name: "v.making", emptyDir: {} },
        ],
      },
    ]) {
      await expect(fixture.create(spec)).rejects.toMatchObject({ code: "invalid" });
    }
    const data = fixture.data({ containers: [main], volumes });
    for (const uid of ["../x", "..", "a/b", ""]) {
      const pod = { ...data.pod, metadata: { ...data.pod.metadata, uid } };
      await expect(fixture.provider.create({ ...data, pod }, fixture.signal)).rejects.toMatchObject(
        {
          code: "invalid",
        },
      );
    }
  });

  it("not the plugin's files, even where all of the host is open", async () => {
    await using open = await ProviderFixture.open(engine.host, { hostPaths: ["/"] });
    const { root } = open.options();
    for (const path of [root, "/", join(root, "..")]) {
      const spec: PodSpec = {
        containers: [busybox("main", "true", { volumeMounts: [at("/w")] })],
        volumes: [{ name: "v", hostPath: { path } }],
      };
      await expect(open.create(spec)).rejects.toThrow("has files of the plugin's own");
    }
  });
});
