import { mkdir, mkdtemp, readdir, realpath, rm, stat, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EngineClient } from "../engine/engine-client.ts";
import { testPod } from "../testing/pods.ts";
import type { ClaimRule } from "./claim-rules.ts";
import { claimResolver } from "./claims.ts";

describe("claims in directories", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), "claims-")));
  });
  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  async function resolve(rule: ClaimRule) {
    const engine = new EngineClient({ kind: "unix", path: join(folder, "none.sock") });
    await using _engine = engine;
    const pod = testPod({});
    pod.metadata = { ...pod.metadata, namespace: "team" };
    const volume = { name: "v", persistentVolumeClaim: { claimName: "c" } };
    return claimResolver([rule], engine)(volume, pod);
  }

  it("are made, open to every user, and say where they must stay", async () => {
    const directory = join(folder, "new/{namespace}/{claim}");
    expect(await resolve({ directory })).toEqual({
      hostPath: join(folder, "new/team/c"),
      within: join(folder, "new"),
      readOnly: false,
      isFixed: false,
    });
    expect((await stat(join(folder, "new/team/c"))).mode & 0o777).toBe(0o777);
    expect((await stat(join(folder, "new/team"))).mode & 0o777).toBe(0o755);
  });

  it("may lie behind links of the rule's own, and stay as they are", async () => {
    await mkdir(join(folder, "disk"), { mode: 0o750 });
    await symlink("disk", join(folder, "link"));
    expect(await resolve({ directory: join(folder, "link"), readOnly: true })).toEqual({
      hostPath: join(folder, "disk"),
      readOnly: true,
      isFixed: true,
    });
    expect((await stat(join(folder, "disk"))).mode & 0o777).toBe(0o750);
  });

  it("are not found behind links where a namespace's or a claim's name stands", async () => {
    await mkdir(join(folder, "closed"));
    await mkdir(join(folder, "claims/team"), { recursive: true });
    await symlink("../../closed", join(folder, "claims/team/c"));
    await symlink("closed", join(folder, "team"));
    for (const template of ["claims/{namespace}/{claim}", "{namespace}/{claim}"]) {
      await expect(resolve({ directory: join(folder, template) })).rejects.toMatchObject({
        code: "rejected",
        message: 'volume "v": its directory cannot be made (a part of it is a link)',
      });
    }
    expect(await readdir(join(folder, "closed"))).toEqual([]);
  });
});
