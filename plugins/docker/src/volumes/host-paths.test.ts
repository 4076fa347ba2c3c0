import { mkdir, mkdtemp, realpath, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { HostPathVolumeSource } from "kubernetes-types/core/v1.js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { testPod } from "../testing/pods.ts";
import { hostPathResolver } from "./host-paths.ts";

describe("hostPath volumes", () => {
  let open: string;
  let closed: string;
  beforeEach(async () => {
    const folder = await realpath(await mkdtemp(join(tmpdir(), "host-paths-")));
    open = join(folder, "open");
    closed = join(folder, "closed");
    await mkdir(open);
    await mkdir(closed);
  });
  afterEach(async () => {
    await rm(join(open, ".."), { recursive: true });
  });

  async function resolve(path: string, type?: HostPathVolumeSource["type"], allowed = [open]) {
    const hostPath = { path, ...(type !== undefined && { type }) };
    return hostPathResolver(allowed)({ name: "v", hostPath }, testPod());
  }

  it("are allowed below open directories only, and nowhere by default", async () => {
    expect(await resolve(open, "Directory")).toEqual({ hostPath: open });
    for (const path of [closed, `${open}-not`, join(open, "../closed"), "relative", "/"]) {
      await expect(resolve(path)).rejects.toMatchObject({ code: "rejected" });
    }
    await expect(resolve(open, "Directory", [])).rejects.toThrow("is not below a directory");
    expect(await resolve(closed, "Directory", ["/"])).toEqual({ hostPath: closed });
  });

  it("cannot be led out by a link", async () => {
    await symlink(closed, join(open, "link"));
    await expect(resolve(join(open, "link"))).rejects.toMatchObject({ code: "rejected" });
    await expect(resolve(join(open, "link/new"), "DirectoryOrCreate")).rejects.toMatchObject({
      code: "rejected",
    });
    await mkdir(join(open, "real"));
    await symlink(join(open, "real"), join(open, "inside"));
    expect(await resolve(join(open, "inside"))).toEqual({ hostPath: join(open, "real") });
  });

  it.each(["DirectoryOrCreate", ""] as const)(
    "are made if they may be, with type %j",
    async (type) => {
      await resolve(join(open, "a/b"), type);
      expect((await stat(join(open, "a/b"))).isDirectory()).toBe(true);
    },
  );

  it("are made as files, and keep what a file holds", async () => {
    await resolve(join(open, "f"), "FileOrCreate");
    await writeFile(join(open, "f"), "kept");
    await resolve(join(open, "f"), "FileOrCreate");
    expect((await stat(join(open, "f"))).size).toBe(4);
  });

  it.each([
    ["Directory", "is not a directory"],
    ["Socket", "is not a socket file"],
    ["CharDevice", "is not a character device"],
    ["BlockDevice", "is not a block device"],
  ] as const)("must be what the pod says: %s", async (type, words) => {
    await writeFile(join(open, "f"), "");
    await expect(resolve(join(open, "f"), type)).rejects.toThrow(
      `hostPath type check failed: ${join(open, "f")} ${words}`,
    );
    await expect(resolve(join(open, "none"), type)).rejects.toThrow("does not exist");
  });

  it("are the only kind of volume provided here", async () => {
    expect(
      await hostPathResolver([open])({ name: "v", nfs: { path: "/", server: "s" } }, testPod()),
    ).toBeUndefined();
  });
});
