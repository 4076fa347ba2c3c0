import { chmodSync, chownSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeSlurmWithRegistry } from "../systems/describe-system.ts";
import { OwnRegistry } from "./own-registry.ts";
import { SiteProvider, writeProgram } from "./site-provider.ts";

describeSlurmWithRegistry("images of a registry", ({ slurm, apptainer }) => {
  const registry = new OwnRegistry();
  let site: SiteProvider;
  let pulled: string;

  beforeAll(async () => {
    await registry.start();
    await registry.push("tool", "1", apptainer.image, { WorkingDir: "/var" });
    site = new SiteProvider({ conf: slurm.conf, apptainer, user: slurm.user });
    pulled = join(site.folder, "pulled");
    writeFileSync(pulled, "");
    chmodSync(pulled, 0o666);
    const wrapper = join(site.folder, "wrapper");
    // Notes who pulls what, over plain HTTP.
    writeProgram(
      wrapper,
      `#!/bin/bash\nexport APPTAINER_NOHTTPS=1\nif [[ $3 == pull ]]; then echo "$(id -u) \${*: -1}" >>${pulled}; export HOME=\${HOME:-/root}; fi\nexec "$@"\n`,
    );
    for (const [name, owner] of [
      ["by-jobs", slurm.user.uid],
      ["by-plugin", process.getuid?.() ?? 0],
    ] as const) {
      const directory = join(site.folder, name);
      mkdirSync(directory, { mode: 0o755 });
      chownSync(directory, owner, owner);
    }
    await site.start(settings("by-jobs"));
  });
  afterAll(async () => {
    await site?.[Symbol.asyncDispose]();
    await registry[Symbol.asyncDispose]();
  });

  const settings = (cache: string) => ({
    SingularityPrefix: join(site.folder, "wrapper"),
    ImageCache: join(site.folder, cache),
  });
  const reference = (name: string) => `docker://${registry.address}/${name}`;
  const pulls = () => readFileSync(pulled, "utf8").trim().split("\n");
  const pod = (name: string) =>
    site.create("pwd; exit 4", {
      container: { image: reference(name), imagePullPolicy: "IfNotPresent" },
    });

  test("are pulled in jobs, once for pods that come at the same time", async () => {
    const pods = await Promise.all([pod("tool:1"), pod("tool:1")]);
    for (const one of pods) {
      expect(await site.until(one, "terminated", 120_000)).toMatchObject({ exitCode: 4 });
      expect(await site.log(one)).toBe("/var\n");
    }
    expect(pulls()).toEqual([`${slurm.user.uid} ${reference("tool:1")}`]);
  });

  test("that do not exist are told in the registry's words", async () => {
    const missing = await pod("none:1");
    const told = await site.until(missing, "waiting", 120_000).then(async () => {
      await expect
        .poll(async () => JSON.stringify(await site.status(missing)), { timeout: 120_000 })
        .toMatch(/ErrImagePull|ImagePullBackOff/);
      return JSON.stringify(await site.status(missing));
    });
    expect(told).toMatch(/manifest unknown|name unknown|not found/i);
    await site.delete(missing);
  });

  test("are pulled before the job where compute nodes cannot, which then begins", async () => {
    await site.close();
    await site.start({ ...settings("by-plugin"), PullOnLoginNode: true });
    writeFileSync(pulled, "");
    const pods = await Promise.all([pod("tool:1"), pod("tool:1")]);
    for (const one of pods) {
      expect(await site.until(one, "terminated", 120_000)).toMatchObject({ exitCode: 4 });
      expect(await site.log(one)).toBe("/var\n");
    }
    expect(pulls()).toEqual([`${process.getuid?.()} ${reference("tool:1")}`]);
  });
});
