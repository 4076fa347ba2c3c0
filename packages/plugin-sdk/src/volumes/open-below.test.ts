import { renameSync, rmSync, symlinkSync } from "node:fs";
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readlink,
  realpath,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { giveToGroup } from "./fs-group.ts";
import { openBelow, pathOf } from "./open-below.ts";
import { enterSubPath } from "./sub-path.ts";

let folder: string;
let root: string;
let outside: string;
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "open-below-")));
  root = join(folder, "root");
  outside = join(folder, "outside");
  await mkdir(join(root, "a/b"), { recursive: true });
  await mkdir(join(outside, "b"), { recursive: true });
  await writeFile(join(outside, "b/f"), "closed");
  await chmod(join(outside, "b/f"), 0o600);
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** Does `step` again and again; while it waits for the disk, `a` is by turns a directory and a link that leads out. */
async function during(step: () => Promise<void>): Promise<number> {
  const path = join(root, "a");
  let isLink = false;
  const exchange = (): void => {
    if (isLink) replace(path, () => renameSync(`${path}.kept`, path));
    else {
      renameSync(path, `${path}.kept`);
      replace(path, () => symlinkSync(outside, path));
    }
    isLink = !isLink;
  };
  const over = new AbortController();
  const exchanging = (async () => {
    while (!over.signal.aborted) {
      exchange();
      await setImmediate();
    }
  })();
  let succeeded = 0;
  for (let i = 0; i < 400; i++) {
    await step().then(
      () => succeeded++,
      () => undefined,
    );
  }
  over.abort();
  await exchanging;
  if (isLink) exchange();
  return succeeded;
}

/** In spite of what the step may make there at the same time. */
function replace(path: string, make: () => void): void {
  for (let tries = 0; ; tries++) {
    rmSync(path, { recursive: true, force: true });
    try {
      return make();
    } catch (error) {
      if (tries > 100) throw error;
    }
  }
}

describe("openBelow", () => {
  it("stands at what a path leads to, a directory or a file", async () => {
    await writeFile(join(root, "a/f"), "");
    for (const path of ["", "a", "a//b/", "./a/f"]) {
      await using handle = await openBelow(root, path);
      expect(`${await readlink(pathOf(handle))}/`).toBe(join(root, path, "/"));
    }
  });

  it("follows no link, wherever in the path it is and wherever it leads", async () => {
    await symlink("a", join(root, "inner"));
    await symlink(outside, join(root, "outer"));
    await symlink("none", join(root, "dangling"));
    for (const path of ["inner", "inner/b", "outer", "outer/b/f", "dangling"]) {
      await expect(openBelow(root, path)).rejects.toMatchObject({ code: "ELOOP" });
    }
    await expect(openBelow(root, "a/../../outside")).rejects.toThrow("leads upwards");
    await expect(openBelow(root, "a/none")).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("is never led out of its root, whatever lies there", async () => {
    const name = fc.constantFrom("a", "b", "c", "..", ".", "", "link", "up");
    await symlink("..", join(root, "up"));
    await symlink("/", join(root, "a/link"));
    await fc.assert(
      fc.asyncProperty(fc.array(name, { maxLength: 6 }), async (names) => {
        const handle = await openBelow(root, names.join("/")).catch(() => undefined);
        if (handle === undefined) return;
        await using held = handle;
        expect(`${await readlink(pathOf(held))}/`.startsWith(`${root}/`)).toBe(true);
      }),
    );
  });

  it("is not led out by one who exchanges directories for links meanwhile", async () => {
    const succeeded = await during(async () => {
      await using handle = await openBelow(root, "a/b");
      const { ino } = await handle.stat();
      expect(ino).not.toBe((await lstat(join(outside, "b"))).ino);
    });
    expect(succeeded).toBeGreaterThan(0);
  });
});

it("makes no directory of a subPath outside of the volume while links are exchanged", async () => {
  let made = 0;
  await during(async () => {
    await enterSubPath(root, `a/new-${made++}`, { volume: "v", container: "c" });
  });
  expect(await readdir(outside)).toEqual(["b"]);
});

it.skipIf(process.geteuid?.() !== 0)(
  "gives nothing outside of the volume to a group while links are exchanged",
  async () => {
    await during(() => giveToGroup(root, 4321, false));
    for (const path of ["", "b", "b/f"]) {
      expect((await lstat(join(outside, path))).gid).not.toBe(4321);
    }
    expect((await lstat(join(root, "a/b"))).gid).toBe(4321);
  },
);
