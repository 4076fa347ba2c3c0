import { link, mkdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { temporaryDirectory } from "../testing/temporary-directory.ts";
import type { Disk } from "./disk.ts";
import { localDisk } from "./disk.ts";
import type { FileStep } from "./file-step.ts";
import { ThreadedDisk } from "./threaded-disk.ts";

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let at: (name: string) => string;

beforeEach(async () => {
  directory = await temporaryDirectory();
  at = (name) => join(directory.path, name);
});

afterEach(async () => {
  await directory[Symbol.asyncDispose]();
});

function threaded(script?: string): ThreadedDisk {
  const disk = new ThreadedDisk(script === undefined ? {} : { script });
  onTestFinished(() => disk[Symbol.asyncDispose]());
  return disk;
}

const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o7777;

describe.each<[string, () => Disk]>([
  ["in this thread", () => localDisk],
  ["in threads of its own", threaded],
])("a disk that makes steps %s", (_name, disk) => {
  test("makes them one after another, with the modes that were asked for", async () => {
    const before = process.umask(0o077);
    onTestFinished(() => void process.umask(before));
    await disk().make([
      { make: "directory", path: at("a"), mode: 0o700 },
      { make: "directory", path: at("a/b"), mode: 0o755, exact: true, known: true },
      { make: "file", path: at("a/b/new"), content: "text", mode: 0o644, exact: true },
      { make: "file", path: at("a/b/own"), content: Uint8Array.of(0, 255), mode: 0o444 },
      { make: "rename", path: at("a/b/new"), to: at("a/b/name") },
      { make: "synced", path: at("a/b") },
    ]);
    expect(await readFile(at("a/b/name"), "utf8")).toBe("text");
    expect([...(await readFile(at("a/b/own")))]).toEqual([0, 255]);
    expect(await modeOf(at("a"))).toBe(0o700);
    expect(await modeOf(at("a/b"))).toBe(0o755);
    expect(await modeOf(at("a/b/name"))).toBe(0o644);
    expect(await modeOf(at("a/b/own"))).toBe(0o400);
  });

  test("stops at the first that fails, with the system's error", async () => {
    const steps: FileStep[] = [
      { make: "file", path: at("first"), content: "1", mode: 0o600 },
      { make: "file", path: at("no/second"), content: "2", mode: 0o600 },
      { make: "file", path: at("third"), content: "3", mode: 0o600 },
    ];
    const failure = { code: "ENOENT", syscall: "open", path: at("no/second") };
    await expect(disk().make(steps)).rejects.toMatchObject(failure);
    expect(await readFile(at("first"), "utf8")).toBe("1");
    await expect(stat(at("third"))).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("writes over no file but one that is to be synced, or made anew", async () => {
    await writeFile(at("other"), "other");
    await link(at("other"), at("file"));
    const file: Extract<FileStep, { make: "file" }> = {
      make: "file",
      path: at("file"),
      content: "new",
      mode: 0o600,
    };
    await expect(disk().make([file])).rejects.toMatchObject({ code: "EEXIST" });
    await disk().make([{ ...file, anew: true }]);
    expect(await readFile(at("other"), "utf8")).toBe("other");
    await symlink(at("other"), at("leads"));
    await disk().make([{ ...file, path: at("leads"), anew: true, synced: true }]);
    expect(await readFile(at("other"), "utf8")).toBe("other");
    expect(await readFile(at("leads"), "utf8")).toBe("new");
    await disk().make([{ ...file, content: "synced", synced: true }]);
    expect(await readFile(at("file"), "utf8")).toBe("synced");
  });

  test("leaves a directory that is there as it is, where it may be there", async () => {
    await mkdir(at("there"), { mode: 0o700 });
    const there: FileStep = { make: "directory", path: at("there"), mode: 0o755 };
    await expect(disk().make([there])).rejects.toMatchObject({ code: "EEXIST", syscall: "mkdir" });
    await disk().make([{ ...there, known: true, exact: true }]);
    expect(await modeOf(at("there"))).toBe(0o700);
  });

  test("gives a file a second name, in the place of what had it", async () => {
    await writeFile(at("first"), "the same");
    await writeFile(at("second"), "another");
    const second: FileStep = { make: "link", path: at("first"), to: at("second") };
    await expect(disk().make([second])).rejects.toMatchObject({ code: "EEXIST" });
    await disk().make([{ ...second, anew: true }]);
    expect((await stat(at("second"))).ino).toBe((await stat(at("first"))).ino);
    const lost: FileStep = { make: "link", path: at("lost"), to: at("third") };
    await expect(disk().make([lost])).rejects.toMatchObject({ code: "ENOENT", path: at("lost") });
  });

  test("adds to a file that is there, and makes none", async () => {
    await writeFile(at("file"), "one\n");
    await disk().make([{ make: "more", path: at("file"), content: "two\n" }]);
    await disk().make([{ make: "more", path: at("file"), content: "three\n", synced: true }]);
    expect(await readFile(at("file"), "utf8")).toBe("one\ntwo\nthree\n");
    const none: FileStep = { make: "more", path: at("none"), content: "two\n" };
    await expect(disk().make([none])).rejects.toMatchObject({ code: "ENOENT" });
  });
});

describe("threads of a disk", () => {
  test("tell of many files at once whether they have changed", async () => {
    const disk = threaded();
    await writeFile(at("a"), "1");
    const paths = [at("a"), at("none"), at("a/below"), at("n".repeat(300))];
    const before = await disk.stamps(paths);
    expect(before).toEqual([expect.any(String), undefined, undefined, "ENAMETOOLONG"]);
    expect(await disk.stamps(paths)).toEqual(before);
    await writeFile(at("a"), "12");
    expect((await disk.stamps(paths))[0]).not.toBe(before[0]);
  });

  test("make what many ask for at the same time, and sync a directory for all who wait", async () => {
    const disk = threaded();
    const names = Array.from({ length: 50 }, (_, index) => at(String(index)));
    await Promise.all(
      names.map(async (path) => {
        await disk.make([{ make: "file", path, content: path, mode: 0o600 }]);
        await disk.syncDirectory(directory.path);
      }),
    );
    for (const path of names) expect(await readFile(path, "utf8")).toBe(path);
  });

  test("let those go who wait when one has died, and are begun anew", async () => {
    await writeFile(at("dies.mjs"), "throw new Error('it died');");
    const dying = threaded(at("dies.mjs"));
    const steps: FileStep[] = [{ make: "synced", path: directory.path }];
    await expect(dying.make(steps)).rejects.toMatchObject({ code: "unavailable" });
    await expect(dying.syncDirectory(directory.path)).rejects.toMatchObject({
      code: "unavailable",
    });
    await writeFile(
      at("dies.mjs"),
      'import { parentPort } from "node:worker_threads"; parentPort.on("message", (all) => parentPort.postMessage(all.map(({ id }) => ({ id }))));',
    );
    await dying.make(steps);
  });

  test("are waited for no longer once they are given up", async () => {
    await writeFile(
      at("silent.mjs"),
      'import { parentPort } from "node:worker_threads"; parentPort.on("message", () => {});',
    );
    const disk = threaded(at("silent.mjs"));
    const waiting = expect(disk.make([])).rejects.toMatchObject({ code: "unavailable" });
    await disk[Symbol.asyncDispose]();
    await waiting;
    await expect(disk.stamps([at("a")])).rejects.toMatchObject({ code: "unavailable" });
  });
});
