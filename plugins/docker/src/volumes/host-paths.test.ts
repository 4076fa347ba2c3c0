import { mkdir, mkdtemp, readdir, realpath, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
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
    expect(await resolve(closed, "Directory", ["/"])).toEqual({ hostPath: closed, within: "/" });
  });

  it("cannot be led out by a link", async () => {
    await symlink(closed, join(open, "link"));
    await expect(resolve(join(open, "link"))).rejects.toMatchObject({ code: "rejected" });
    await expect(resolve(join(open, "link/new"), "DirectoryOrCreate")).rejects.toMatchObject({
      code: "rejected",
    });
    await mkdir(join(open, "real"));
    await symlink(join(open, "real"), join(open, "inside"));
    // Pods may exchange it for a link from now on: the mount has to stay within.
    expect(await resolve(join(open, "inside"))).toEqual({
      hostPath: join(open, "real"),
      within: open,
    });
  });

  it("never have the plugin's own files, whatever is open", async () => {
    const root = join(open, "plugin");
    await mkdir(join(root, "pods/uid"), { recursive: true });
    await symlink(root, join(open, "link"));
    const resolver = hostPathResolver(["/"], root);
    for (const path of ["/", open, root, join(root, "pods/uid"), join(open, "link/pods")]) {
      const refused = resolver({ name: "v", hostPath: { path } }, testPod());
      await expect(refused).rejects.toThrow("has files of the plugin's own");
    }
    expect(await resolver({ name: "v", hostPath: { path: closed } }, testPod())).toMatchObject({
      hostPath: closed,
    });
  });

  it("lead nowhere else, however a path is put together", async () => {
    await symlink("../closed", join(open, "out"));
    await symlink(".", join(open, "here"));
    await mkdir(join(open, "a"));
    const piece = fc.constantFrom("a", "out", "here", "..", ".", "", "new", "closed", "\0", "a,b");
    await fc.assert(
      fc.asyncProperty(
        fc.array(piece, { maxLength: 5 }),
        fc.constantFrom("", "DirectoryOrCreate", "FileOrCreate", "Directory"),
        async (pieces, type) => {
          const path = `${open}/${pieces.join("/")}`;
          const found = await resolve(path, type as "").catch((error: unknown) => error);
          if (found instanceof Error) expect(found).toMatchObject({ code: "rejected" });
          else expect(`${(found as { hostPath: string }).hostPath}/`).toMatch(`${open}/`);
          expect(await readdir(closed)).toEqual([]);
        },
      ),
      { numRuns: 300 },
    );
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
