import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pino from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { testContainerSpec, testPod } from "../testing/pods.ts";
import { HeldMounts, MountFailure } from "./held-mounts.ts";
import { MountKeeper } from "./mount-keeper.ts";

const logger = pino({ level: "silent" });
let folder: string;
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "mount-keeper-")));
  await mkdir(join(folder, "v/d"), { recursive: true });
  await writeFile(join(folder, "v/d/inside"), "inside");
  await writeFile(join(folder, "v/file"), "in a file");
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** Of a container that mounts a part of a volume that another one writes to. */
function spec(path = "d", more: object = {}) {
  const volumeMounts = [{ name: "v", mountPath: "/v", subPath: path }];
  const container = { name: "main", volumeMounts };
  const other = { name: "other", volumeMounts: [{ name: "v", mountPath: "/all" }] };
  const pod = testPod({ containers: [container, other], volumes: [{ name: "v", emptyDir: {} }] });
  const within = join(folder, "v");
  const mount = { hostPath: join(within, path), within, mountPath: "/v", readOnly: false, ...more };
  return testContainerSpec(container, { pod, mounts: [mount] });
}

describe("a keeper that cannot mount", () => {
  it("refuses what others could exchange, and says what to do", async () => {
    const keeper = new MountKeeper({ allowUnheld: false, logger });
    await expect(keeper.keep(spec(), true)).rejects.toMatchObject({
      code: "InvalidConfig",
      message: expect.stringMatching(
        /volumeMount "v" of container "main".*allowUnheldMounts/,
      ) as string,
    });
  });

  it("lets through what nobody can exchange, and all of it where the operator says so", async () => {
    const alone = spec();
    alone.pod.spec?.containers.pop();
    const keeper = new MountKeeper({ allowUnheld: false, logger });
    expect(await keeper.keep(alone, true)).toEqual(new Map());
    expect(await keeper.keep(spec("d", { within: undefined }), true)).toEqual(new Map());
    const trusting = new MountKeeper({ allowUnheld: true, logger });
    expect(await trusting.keep(spec(), true)).toEqual(new Map());
  });
});

describe.skipIf(process.geteuid?.() !== 0)("a keeper that can mount", () => {
  let held: HeldMounts;
  let keeper: MountKeeper;
  beforeEach(() => {
    held = new HeldMounts(join(folder, "held"));
    keeper = new MountKeeper({ held, allowUnheld: false, logger });
  });
  const uid = testPod().metadata?.uid ?? "";
  afterEach(async () => {
    await keeper.release({ uid });
  });

  it("holds directories and files, however often it is asked, and lets go of them whole", async () => {
    for (const [path, content, below] of [
      ["d", "inside", "/inside"],
      ["file", "in a file", ""],
      ["d", "inside", "/inside"],
    ] as const) {
      const kept = (await keeper.keep(spec(path), true)).get("/v") ?? "";
      expect(await readFile(`${kept}${below}`, "utf8")).toBe(content);
    }
    await keeper.release({ uid, containerName: "main", attempt: 2 });
    await keeper.release({ uid });
    await keeper.release({ uid });
    expect(await readdir(folder)).toEqual(["v"]);
    expect((await readdir(join(folder, "v"))).toSorted()).toEqual(["d", "file"]);
    expect(await readFile(join(folder, "v/d/inside"), "utf8")).toBe("inside");
    expect(await readFile("/proc/self/mountinfo", "utf8")).not.toContain(folder);
  });

  it("lets go of what another life of the plugin held", async () => {
    await keeper.keep(spec(), true);
    const next = new MountKeeper({
      held: new HeldMounts(held.directory),
      allowUnheld: false,
      logger,
    });
    expect((await next.keep(spec("file"), true)).size).toBe(1);
    await next.release({ uid });
    expect(await readdir(folder)).toEqual(["v"]);
  });

  it("does not follow what has become a link", async () => {
    await symlink("/etc", join(folder, "v/link"));
    for (const path of ["link", "link/passwd"]) {
      await expect(keeper.keep(spec(path), true)).rejects.toThrow(/changed meanwhile \(ELOOP\)/);
    }
    await expect(keeper.keep(spec("none"), true)).rejects.toThrow("(ENOENT)");
  });

  it("holds what is to be read-only all the way down, where the engine cannot do that", async () => {
    const wish = spec("d", { readOnly: true, within: undefined });
    const [mount] = wish.container.volumeMounts ?? [];
    if (mount !== undefined) mount.recursiveReadOnly = "Enabled";
    const kept = (await keeper.keep(wish, false)).get("/v") ?? "";
    await expect(writeFile(join(kept, "new"), "")).rejects.toMatchObject({ code: "EROFS" });
    expect(await keeper.keep(wish, true)).toEqual(new Map());
  });

  it("does without when the engine does not see its mounts, and then refuses", async () => {
    const kept = (await keeper.keep(spec(), true)).get("/v") ?? "";
    const isUnseen = (path: string) =>
      keeper.isUnseen(new Error(`bind source path does not exist: ${path}`), "uid-1");
    expect(await isUnseen("/elsewhere")).toBe(false);
    expect(await isUnseen(kept)).toBe(true);
    expect(await isUnseen(kept)).toBe(false);
    await expect(keeper.keep(spec(), true)).rejects.toThrow("allowUnheldMounts");
  });

  it("goes on when a mount was gone before the engine took it", async () => {
    const gone = new Error(`statfs ${held.directory}/x: no such file or directory`);
    expect(await keeper.isUnseen(gone, "uid-1")).toBe(true);
    expect((await keeper.keep(spec(), true)).size).toBe(1);
  });

  it("tries once more when mounting fails, and does not give up for good what has worked", async () => {
    let failures = 1;
    const failing = new HeldMounts(join(folder, "held"));
    const hold = failing.hold.bind(failing);
    failing.hold = (...asked) =>
      failures-- > 0 ? Promise.reject(new MountFailure("busy")) : hold(...asked);
    const patient = new MountKeeper({ held: failing, allowUnheld: false, logger });
    expect((await patient.keep(spec(), true)).size).toBe(1);
    failures = 2;
    await expect(patient.keep(spec(), true)).rejects.toThrow("could not be held on to: busy");
    expect((await patient.keep(spec(), true)).size).toBe(1);
    await patient.release({ uid });
  });
});
