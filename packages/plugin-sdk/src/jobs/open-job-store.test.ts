import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { RemotePodStatus } from "@interlink/protocol";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { podData } from "../testing/pod-data.ts";
import { recordingLogger, silentLogger } from "../testing/recording-logger.ts";
import { temporaryDirectory } from "../testing/temporary-directory.ts";
import type { Disk } from "./disk.ts";
import { localDisk } from "./disk.ts";
import type { FileStep } from "./file-step.ts";
import type { JobStore } from "./job-store.ts";
import { openJobStore } from "./open-job-store.ts";
import { ThreadedDisk } from "./threaded-disk.ts";

interface Counter {
  count: number;
}

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let root: string;
let clock: number;
const stores: JobStore<Counter>[] = [];

beforeEach(async () => {
  directory = await temporaryDirectory();
  root = join(directory.path, "root");
  clock = Date.parse("2026-01-01T00:00:00Z");
});

afterEach(async () => {
  for (const store of stores.splice(0)) await store.close();
  await directory[Symbol.asyncDispose]();
});

async function open(logger = silentLogger, disk?: Disk, bare = false): Promise<JobStore<Counter>> {
  const store = await openJobStore<Counter>({
    root,
    bare,
    ...(disk && { disk }),
    logger,
    newRecord: () => ({ count: 0 }),
    readRecord: (value) => {
      if (typeof (value as Counter | undefined)?.count !== "number") throw new Error("no count");
      return value as Counter;
    },
    now: () => clock,
  });
  stores.push(store);
  return store;
}

async function reopen(store: JobStore<Counter>, logger = silentLogger): Promise<JobStore<Counter>> {
  await store.close();
  return open(logger);
}

const UID = "9d3b5e0e-0000-4000-8000-000000000001";
const recordOf = (uid: string): string => join(root, "records", `${uid}.json`);

/** The pod's line stays, `text` is all there is of the job. */
async function damageJob(uid: string, text: string): Promise<string> {
  const [pod] = (await readFile(recordOf(uid), "utf8")).split("\n");
  const damaged = `${pod}\n${text}`;
  await writeFile(recordOf(uid), damaged);
  return damaged;
}

async function damagePod(uid: string, text: string): Promise<void> {
  const [, ...rest] = (await readFile(recordOf(uid), "utf8")).split("\n");
  await writeFile(recordOf(uid), [text, ...rest].join("\n"));
}

const finalStatus: RemotePodStatus = {
  name: "p",
  namespace: "default",
  UID,
  JID: "17",
  containers: [],
  initContainers: [],
};

describe("creating", () => {
  test("writes what was asked and the intent, for this user only, before it answers", async () => {
    const store = await open();
    const { job, created } = await store.create(podData(UID));
    expect(created).toBe(true);
    expect(job).toMatchObject({ uid: UID, phase: "intent", record: { count: 0 } });
    const { directory } = store.paths(UID);
    expect(await store.data(UID)).toEqual(podData(UID));
    const lines = (await readFile(recordOf(UID), "utf8")).split("\n");
    expect(lines).toEqual([JSON.stringify(podData(UID)), JSON.stringify(job), ""]);
    expect((await stat(recordOf(UID))).mode & 0o777).toBe(0o600);
    for (const path of [root, directory, join(directory, "volumes"), join(directory, "logs")]) {
      expect((await stat(path)).mode & 0o777).toBe(0o700);
    }
  });

  test("a second time answers with the job that exists, also when both come at once", async () => {
    const store = await open();
    const answers = await Promise.all([1, 2, 3].map(() => store.create(podData(UID))));
    expect(answers.filter(({ created }) => created)).toHaveLength(1);
    await store.update(UID, () => ({ phase: "submitted", jobId: "17" }));
    expect((await store.create(podData(UID))).job.jobId).toBe("17");
  });

  test("at once share the syncs of the directory, where the disk can do that", async () => {
    const uids = Array.from({ length: 20 }, (_, index) => `uid-${index}`);
    let asked = 0;
    let made = 0;
    let allAsked = (): void => {};
    const waiting = new Promise<void>((resolve) => {
      allAsked = resolve;
    });
    class Counting extends ThreadedDisk {
      override async make(steps: readonly FileStep[]): Promise<void> {
        if (isSync(steps)) {
          made += 1;
          await waiting;
        }
        return super.make(steps);
      }
      override async syncDirectory(path: string): Promise<void> {
        if (path === join(root, "records")) asked += 1;
        if (asked === uids.length) allAsked();
        return super.syncDirectory(path);
      }
    }
    const isSync = ([step]: readonly FileStep[]): boolean =>
      step?.make === "synced" && step.path === join(root, "records");
    await using disk = new Counting();
    const store = await open(silentLogger, disk, true);
    await Promise.all(uids.map((uid) => store.create(podData(uid))));
    expect({ asked, made }).toEqual({ asked: 20, made: 2 });
    await reopen(store);
  });

  test("is refused after a delete, across restarts, for a day", async () => {
    let store = await open();
    await store.create(podData(UID));
    await store.remove(UID, finalStatus);
    await expect(store.create(podData(UID))).rejects.toMatchObject({ code: "conflict" });
    store = await reopen(store);
    await expect(store.create(podData(UID))).rejects.toMatchObject({ code: "conflict" });
    clock += 23 * 3_600_000;
    store = await reopen(store);
    await expect(store.create(podData(UID))).rejects.toMatchObject({ code: "conflict" });
    clock += 3_600_000;
    store = await reopen(store);
    expect(await readdir(join(root, "tombstones"))).toEqual([]);
    expect((await store.create(podData(UID))).created).toBe(true);
  });

  test("is refused for a pod that was buried before it arrived", async () => {
    const store = await open();
    await store.bury({ uid: UID, name: "p", namespace: "default" });
    await expect(store.create(podData(UID))).rejects.toMatchObject({ code: "conflict" });
  });

  test.each(["", ".", "..", "../x", "a/b", "a\0b", "-", ".hidden", "x".repeat(300), 7, null])(
    "is refused for the UID %j",
    async (uid) => {
      const store = await open();
      const data = podData("x");
      data.pod.metadata = { ...data.pod.metadata, uid: uid as string };
      await expect(store.create(data)).rejects.toMatchObject({ code: "invalid" });
      expect(await readdir(join(root, "jobs"))).toEqual([]);
      expect(await readdir(join(root, "records"))).toEqual([]);
    },
  );
});

describe("a disk that fails for a while", () => {
  function failure(code: string, syscall: string): NodeJS.ErrnoException {
    return Object.assign(new Error(`${code}: it fails, ${syscall}`), { code, syscall });
  }

  const nothing = { jobs: [], records: [], tmp: [] };
  const left = async (): Promise<object> => ({
    jobs: await readdir(join(root, "jobs")),
    records: await readdir(join(root, "records")),
    tmp: await readdir(join(root, "tmp")),
  });

  test.each([
    ["records", false],
    ["jobs", false],
    ["records", true],
  ])(
    "leaves nothing of a create whose name in %s it did not make durable (bare: %s)",
    async (name, bare) => {
      let failing = true;
      const disk: Disk = {
        ...localDisk,
        syncDirectory: async (path) => {
          if (failing && path === join(root, name)) throw failure("EIO", "fsync");
          await localDisk.syncDirectory(path);
        },
      };
      let store = await open(silentLogger, disk, bare);
      await expect(store.create(podData(UID))).rejects.toMatchObject({ code: "unavailable" });
      expect(await left()).toEqual(nothing);
      failing = false;
      expect(await store.create(podData(UID))).toMatchObject({ created: true });
      store = await reopen(store);
      expect(store.get(UID)).toMatchObject({ phase: "intent" });
    },
  );

  test.each([true, false])(
    "leaves nothing of a create at whichever step it fails, also when all are made (bare: %s)",
    async (bare) => {
      let good = Number.POSITIVE_INFINITY;
      const disk: Disk = {
        ...localDisk,
        make: async (steps) => {
          await localDisk.make(steps.slice(0, good));
          if (good <= steps.length) throw failure("EIO", "write");
        },
      };
      const store = await open(silentLogger, disk, bare);
      for (good = 0; good <= (bare ? 2 : 8); good += 1) {
        await expect(store.create(podData(UID))).rejects.toMatchObject({ code: "unavailable" });
        expect(await left()).toEqual(nothing);
      }
      expect(await store.create(podData(UID))).toMatchObject({ created: true });
    },
  );

  test.each([true, false])("is waited for before a create is answered (bare: %s)", async (bare) => {
    const steps: FileStep[] = [];
    const syncs: { path: string; release: () => void }[] = [];
    const disk: Disk = {
      ...localDisk,
      make: async (more) => {
        await localDisk.make(more);
        steps.push(...more);
      },
      syncDirectory: (path) => new Promise((release) => syncs.push({ path, release })),
    };
    const opening = open(silentLogger, disk, bare);
    await expect.poll(() => syncs.length).toBe(1);
    syncs.splice(0)[0]?.release();
    const store = await opening;
    let answered = false;
    const creating = store.create(podData(UID)).finally(() => {
      answered = true;
    });
    const changed = ["records", ...(bare ? [] : ["jobs"])].map((name) => join(root, name));
    await expect.poll(() => syncs.map(({ path }) => path)).toEqual(changed);
    // What the names are of is on disk already, and nothing was changed but by these steps.
    expect(steps).toContainEqual(
      expect.objectContaining({ make: "file", synced: true, mode: 0o600 }),
    );
    expect(steps.at(-1)).toMatchObject({ make: "rename", to: recordOf(UID) });
    for (const { release } of syncs) {
      await new Promise((resolve) => setImmediate(resolve));
      expect(answered).toBe(false);
      expect(store.get(UID)).toBeUndefined();
      release();
    }
    await creating;
    expect(await readdir(join(root, "jobs"))).toEqual(bare ? [] : [UID]);
  });

  test("does not refuse a create whose files an earlier one left behind", async () => {
    const store = await open();
    await mkdir(join(root, "jobs", UID));
    await writeFile(join(root, "jobs", UID, "file"), "{}");
    await writeFile(recordOf(UID), "{}");
    expect(await store.create(podData(UID))).toMatchObject({ created: true });
    expect(await store.data(UID)).toEqual(podData(UID));
  });

  test.each([
    ["EMFILE", `${UID}.json`],
    ["ENFILE", `${UID}.json`],
    ["EIO", `${UID}.json`],
    ["EACCES", `${UID}.json`],
    ["EMFILE", "gone.json"],
  ])("stops the start for %s of %s and sets nothing aside", async (code, file) => {
    const store = await open();
    const { job } = await store.create(podData(UID));
    await store.bury({ uid: "gone", name: "p", namespace: "default" });
    await store.close();
    const disk: Disk = {
      ...localDisk,
      readText: async (path) => {
        if (path.endsWith(file)) throw failure(code, "open");
        return localDisk.readText(path);
      },
    };
    await expect(open(silentLogger, disk)).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringContaining(code) as string,
    });
    expect(await readdir(join(root, "quarantine"))).toEqual([]);
    const again = await open();
    expect(again.get(UID)).toEqual(job);
    expect(again.tombstone("gone")).toMatchObject({ name: "p" });
  });

  test("stops the start in words when not even its own directory can be used", async () => {
    await writeFile(root, "");
    await expect(open()).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringContaining(
        `The records in ${root} cannot be read or written`,
      ) as string,
    });
  });
});

describe("updating", () => {
  test("writers for one UID are put in line and none is lost", async () => {
    let store = await open();
    await store.create(podData(UID));
    await Promise.all(
      Array.from({ length: 50 }, () =>
        store.update(UID, ({ record }) => ({ record: { count: record.count + 1 } })),
      ),
    );
    expect(store.get(UID)?.record.count).toBe(50);
    store = await reopen(store);
    expect(store.get(UID)?.record.count).toBe(50);
  });

  test("a phase never goes back, but a late job id is kept", async () => {
    const store = await open();
    await store.create(podData(UID));
    await store.update(UID, () => ({ phase: "deleting" }));
    const job = await store.update(UID, () => ({ phase: "submitted", jobId: "17" }));
    expect(job).toMatchObject({ phase: "deleting", jobId: "17" });
  });

  test("of an unknown UID is not-found", async () => {
    const store = await open();
    await expect(store.update(UID, () => ({}))).rejects.toMatchObject({ code: "not-found" });
  });

  test("a failing change leaves the job as it was and the line moving", async () => {
    const store = await open();
    await store.create(podData(UID));
    const fails = store.update(UID, () => {
      throw new Error("no");
    });
    await expect(fails).rejects.toThrow("no");
    expect(await store.update(UID, () => undefined)).toMatchObject({ phase: "intent" });
  });

  test("any history of changes reads back as it was last answered", async () => {
    const change = fc.record(
      {
        phase: fc.constantFrom("intent" as const, "submitted" as const, "deleting" as const),
        jobId: fc.string(),
        record: fc.record({ count: fc.integer() }),
      },
      { requiredKeys: [] },
    );
    let serial = 0;
    let store = await open();
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 5 }), async (changes) => {
        serial += 1;
        const uid = `uid-${serial}`;
        let last = (await store.create(podData(uid))).job;
        for (const one of changes) last = await store.update(uid, () => one);
        store = await reopen(store);
        expect(store.get(uid)).toEqual(last);
      }),
      { numRuns: 25 },
    );
  });
});

describe("removing", () => {
  test("leaves the final status for ten minutes and nothing of the pod's files", async () => {
    let store = await open();
    await store.create(podData(UID));
    const { directory } = store.paths(UID);
    await store.remove(UID, finalStatus);
    await store.remove(UID);
    expect(store.get(UID)).toBeUndefined();
    await expect(stat(directory)).rejects.toThrow("ENOENT");
    expect(await readdir(join(root, "tmp"))).toEqual([]);
    store = await reopen(store);
    const told = { ...finalStatus, extension: { deleting: true, gone: true } };
    expect(store.finalStatus(UID)).toEqual(told);
    expect(store.finalStatuses()).toEqual([told]);
    clock += 10 * 60_000;
    expect(store.finalStatus(UID)).toBeUndefined();
    expect(store.finalStatuses()).toEqual([]);
    expect(store.tombstone(UID)).toMatchObject({ uid: UID, name: "pod-9d3b5e0e" });
  });

  test.each<[string, () => Promise<void>]>([
    ["its tombstone", async () => {}],
    ["its record's removal", () => rm(recordOf(UID))],
    ["its directory's", () => rm(join(root, "jobs", UID), { recursive: true })],
  ])("is finished at the next start when a crash came behind %s", async (_name, removed) => {
    let store = await open();
    await store.create(podData(UID));
    await store.create(podData("other"));
    await writeFile(store.paths(UID).log("main", 0), "a log");
    await store.close();
    const tombstone = { schemaVersion: 1, uid: UID, deletedAt: new Date(clock).toISOString() };
    await writeFile(join(root, "tombstones", `${UID}.json`), JSON.stringify(tombstone));
    await removed();
    store = await open();
    expect(store.list().map(({ uid }) => uid)).toEqual(["other"]);
    expect(store.quarantined).toEqual([]);
    expect(await readdir(join(root, "jobs"))).toEqual(["other"]);
    expect(await readdir(join(root, "records"))).toEqual(["other.json"]);
  });

  test("does not ask what a damaged record holds", async () => {
    let store = await open();
    await store.create(podData(UID));
    await store.bury({ uid: "gone", name: "p", namespace: "default" });
    await writeFile(recordOf("gone"), "{");
    store = await reopen(store);
    expect(store.quarantined).toEqual([]);
    expect(store.list().map(({ uid }) => uid)).toEqual([UID]);
  });
});

describe("a job's record", () => {
  const path = (): string => recordOf(UID);
  const update = (store: JobStore<Counter>, count: number, filler?: object) =>
    store.update(UID, () => ({ record: { count, ...filler } }));

  test("gets a line for each change, of which the last whole one counts", async () => {
    let store = await open();
    await store.create(podData(UID));
    for (const count of [1, 2, 3]) await update(store, count);
    const text = await readFile(path(), "utf8");
    expect(text.split("\n")).toHaveLength(6);
    const last = text.split("\n").at(-2) ?? "";
    for (const torn of ["{", '{"schemaVersion":1', last.replace(":3", ":5"), "\0\0"]) {
      await writeFile(path(), `${text}${torn}`);
      store = await reopen(store);
      expect(store.get(UID)).toMatchObject({ record: { count: 3 } });
      expect(store.get(UID)?.rebuilt).toBeUndefined();
    }
    await update(store, 4);
    store = await reopen(store);
    expect(store.get(UID)).toMatchObject({ record: { count: 4 } });
  });

  test("is written anew before it becomes large, and read where its end has no newline", async () => {
    let store = await open();
    await store.create(podData(UID));
    const filler = { filler: "x".repeat(20_000) };
    for (let count = 1; count < 8; count += 1) await update(store, count, filler);
    const last = store.get(UID);
    expect((await stat(path())).size).toBeLessThan(90_000);
    store = await reopen(store);
    expect(store.get(UID)).toEqual(last);
    await damageJob(UID, JSON.stringify(last));
    store = await reopen(store);
    await update(store, 7);
    expect((await reopen(store)).get(UID)).toEqual({ ...last, record: { count: 7 } });
  });

  test("is durable with each change, but for one that may be lost by a power cut", async () => {
    const appended: FileStep[] = [];
    const disk: Disk = {
      ...localDisk,
      make: async (steps) => {
        appended.push(...steps.filter(({ make }) => make === "more"));
        return localDisk.make(steps);
      },
    };
    let store = await open(silentLogger, disk);
    await store.create(podData(UID));
    await update(store, 1);
    await store.update(UID, () => ({ phase: "submitted", jobId: "17" }), { synced: false });
    expect(appended).toMatchObject([{ synced: true }, { make: "more" }]);
    expect(appended[1]).not.toHaveProperty("synced");
    store = await reopen(store);
    expect(store.get(UID)).toMatchObject({ phase: "submitted", jobId: "17", record: { count: 1 } });
  });

  test("of which a change was written in part is written anew with the next change", async () => {
    let failing = true;
    const disk: Disk = {
      ...localDisk,
      make: async (steps) => {
        const [step] = steps;
        if (!failing || step?.make !== "more") return localDisk.make(steps);
        failing = false;
        await localDisk.make([{ ...step, content: step.content.slice(0, 20) }]);
        throw Object.assign(new Error("ENOSPC: no space left"), {
          code: "ENOSPC",
          syscall: "write",
        });
      },
    };
    let store = await open(silentLogger, disk);
    await store.create(podData(UID));
    await expect(update(store, 1)).rejects.toMatchObject({ code: "unavailable" });
    await update(store, 2);
    await update(store, 3);
    store = await reopen(store);
    expect(store.get(UID)).toMatchObject({ record: { count: 3 } });
  });
});

describe("damage", () => {
  const damages = ["", "{", '{"schemaVersion":1', "null", '"x"', '{"schemaVersion":1,"uid":"y"}'];

  test.each(damages)("a job's line of %j is rebuilt as an intent, loudly", async (text) => {
    const store = await open();
    await store.create(podData(UID));
    await store.create(podData("other"));
    await store.update(UID, () => ({ phase: "submitted", jobId: "17" }));
    const damaged = await damageJob(UID, text);
    const { logger, lines } = recordingLogger();
    const again = await reopen(store, logger);
    expect(again.get(UID)).toMatchObject({ phase: "intent", rebuilt: true, record: { count: 0 } });
    expect(again.get("other")).toBeDefined();
    expect(lines.filter(({ level }) => level >= 50)).toHaveLength(1);
    const kept = await readdir(join(root, "quarantine"));
    expect(await readFile(join(root, "quarantine", kept[0] ?? ""), "utf8")).toBe(damaged);
    expect((await reopen(again)).get(UID)).toMatchObject({ rebuilt: true });
  });

  test("a record that the plugin does not understand is damage too", async () => {
    const store = await open();
    await store.create(podData(UID));
    const path = recordOf(UID);
    await writeFile(path, (await readFile(path, "utf8")).replace("count", "cnt"));
    const again = await reopen(store);
    expect(again.get(UID)).toMatchObject({ rebuilt: true });
  });

  test("a damaged line of the pod sets the job aside, and only that one", async () => {
    const store = await open();
    await store.create(podData(UID));
    await store.create(podData("other"));
    await damagePod(UID, "{");
    const again = await reopen(store);
    expect(again.quarantined).toMatchObject([{ uid: UID }]);
    expect(again.list().map(({ uid }) => uid)).toEqual(["other"]);
  });

  test("a record of which nothing is whole is set aside with its files, and its UID refused until a person has looked", async () => {
    let store = await open();
    await store.create(podData(UID));
    await store.create(podData("other"));
    await writeFile(store.paths(UID).log("main", 0), "a log");
    await writeFile(recordOf(UID), "\0\0\0");
    for (let start = 0; start < 2; start += 1) {
      store = await reopen(store);
      expect(store.quarantined).toMatchObject([{ uid: UID }]);
      expect(store.list().map(({ uid }) => uid)).toEqual(["other"]);
      await expect(store.create(podData(UID))).rejects.toMatchObject({ code: "internal" });
    }
    const path = store.quarantined[0]?.path ?? "";
    expect(await readFile(join(path, `${UID}.json`), "utf8")).toBe("\0\0\0");
    expect(await readFile(join(path, "files/logs/main-0.log"), "utf8")).toBe("a log");
    await rm(path, { recursive: true });
    store = await reopen(store);
    expect(await store.create(podData(UID))).toMatchObject({ created: true });
  });

  test.each<[string, (aside: string) => Promise<void>]>([
    ["its place there was made", async () => {}],
    ["its record was moved", (aside) => rename(recordOf(UID), join(aside, `${UID}.json`))],
  ])("is set aside for good when a crash came after %s", async (_name, moved) => {
    let store = await open();
    await store.create(podData(UID));
    await writeFile(store.paths(UID).log("main", 0), "a log");
    await writeFile(recordOf(UID), "{");
    const aside = join(root, "quarantine", `${UID}@2025`);
    await mkdir(aside);
    await moved(aside);
    store = await reopen(store);
    expect(store.list()).toEqual([]);
    await expect(store.create(podData(UID))).rejects.toMatchObject({ code: "internal" });
    expect(await readdir(join(root, "jobs"))).toEqual([]);
    expect(await readdir(join(root, "records"))).toEqual([]);
    const files = await readdir(join(root, "quarantine"), { recursive: true });
    expect(files.filter((name) => /main-0\.log$|\/[^/]*\.json$/.test(name))).toHaveLength(2);
  });

  test("what is no file, and what is nobody's, stops no start", async () => {
    let store = await open();
    await store.create(podData(UID));
    await mkdir(recordOf("directory"));
    await writeFile(join(root, "jobs/file"), "x");
    for (const name of [".json", "...json", ".nfs01"]) {
      await writeFile(join(root, "records", name), "x");
    }
    store = await reopen(store);
    expect(store.list().map(({ uid }) => uid)).toEqual([UID]);
    expect(store.quarantined.map(({ uid }) => uid).sort()).toEqual(["directory", "file"]);
    expect((await readdir(join(root, "records"))).sort()).toEqual(
      ["...json", ".json", ".nfs01", `${UID}.json`].sort(),
    );
  });

  test("a directory that was used but has no record is set aside; one that was not is removed", async () => {
    let store = await open();
    for (const uid of ["used", "new"]) {
      await store.create(podData(uid));
      await rm(recordOf(uid));
    }
    await writeFile(store.paths("used").log("main", 0), "a log");
    store = await reopen(store);
    expect(store.quarantined).toMatchObject([{ uid: "used" }]);
    expect(store.list()).toEqual([]);
    expect(await readdir(join(root, "jobs"))).toEqual([]);
  });

  test("a job whose directory was lost gets a new one", async () => {
    let store = await open();
    await store.create(podData(UID));
    await rm(store.paths(UID).directory, { recursive: true });
    store = await reopen(store);
    expect(store.get(UID)).toMatchObject({ phase: "intent" });
    const made = await readdir(store.paths(UID).directory);
    expect(made.sort()).toEqual(["containers", "logs", "volumes"]);
  });

  test("a damaged tombstone still refuses its UID", async () => {
    let store = await open();
    await store.bury({ uid: UID, name: "p", namespace: "default" });
    await writeFile(join(root, "tombstones", `${UID}.json`), "{");
    store = await reopen(store);
    await expect(store.create(podData(UID))).rejects.toMatchObject({ code: "conflict" });
  });

  test("a job of a newer version stops the start instead of being lost", async () => {
    const store = await open();
    await store.create(podData(UID));
    const path = recordOf(UID);
    await writeFile(path, (await readFile(path, "utf8")).replace('sion":1', 'sion":2'));
    await store.close();
    await expect(open()).rejects.toThrow("newer version");
  });

  test("half-made jobs are cleared away", async () => {
    const store = await open();
    await store.create(podData(UID));
    await store.close();
    await mkdir(join(root, "tmp", "half-1"));
    await writeFile(join(root, "tmp", "half.json"), "{");
    const again = await open();
    expect(again.list()).toHaveLength(1);
    expect(await readdir(join(root, "tmp"))).toEqual([]);
  });
});

test("a directory in use is refused, naming the holder; a closed one can be opened", async () => {
  const store = await open();
  await expect(open()).rejects.toThrow(`in use by process ${process.pid}`);
  await reopen(store);
});

test("after close nothing is written any more", async () => {
  const store = await open();
  await store.close();
  await expect(store.create(podData(UID))).rejects.toMatchObject({ code: "unavailable" });
});

describe("newer data of a job", () => {
  test("outlives a restart, without a trace of the old", async () => {
    const store = await open();
    await store.create(podData(UID));
    await store.update(UID, () => ({ record: { count: 1 } }));
    const newer = podData(UID, { hostname: "newer" });
    await store.replaceData(UID, newer);
    expect(await store.data(UID)).toEqual(newer);
    const again = await reopen(store);
    expect(await again.data(UID)).toEqual(newer);
    expect(again.get(UID)).toMatchObject({ record: { count: 1 } });
    expect(await readFile(recordOf(UID), "utf8")).toContain("newer");
    expect((await stat(recordOf(UID))).mode & 0o777).toBe(0o600);
    expect(await readdir(join(root, "records"))).toEqual([`${UID}.json`]);
  });

  test("is refused for another pod and for one that is not here", async () => {
    const store = await open();
    await expect(store.replaceData(UID, podData(UID))).rejects.toMatchObject({ code: "not-found" });
    await store.create(podData(UID));
    await expect(store.replaceData(UID, podData("other"))).rejects.toMatchObject({
      code: "invalid",
    });
  });
});
