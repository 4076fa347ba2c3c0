import { readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { writeEarlierJob } from "../testing/earlier-job.ts";
import { podData } from "../testing/pod-data.ts";
import { silentLogger } from "../testing/recording-logger.ts";
import { temporaryDirectory } from "../testing/temporary-directory.ts";
import type { Disk } from "./disk.ts";
import { localDisk } from "./disk.ts";
import type { JobStore } from "./job-store.ts";
import { openJobStore } from "./open-job-store.ts";

interface Counter {
  count: number;
}

const UID = "9d3b5e0e-0000-4000-8000-000000000001";

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let root: string;
const stores: JobStore<Counter>[] = [];

beforeEach(async () => {
  directory = await temporaryDirectory();
  root = join(directory.path, "root");
});

afterEach(async () => {
  for (const store of stores.splice(0)) await store.close();
  await directory[Symbol.asyncDispose]();
});

async function open(disk: Disk = localDisk, bare = false): Promise<JobStore<Counter>> {
  for (const store of stores.splice(0)) await store.close();
  const store = await openJobStore<Counter>({
    root,
    disk,
    bare,
    logger: silentLogger,
    newRecord: () => ({ count: 0 }),
  });
  stores.push(store);
  return store;
}

const jobOf = (uid: string): string => join(root, "jobs", uid);
const pretty = JSON.stringify(podData(UID), null, 2);

describe("a job of an earlier version", () => {
  test.each<[string, string, string]>([
    ["of one line", "{pod}\n", "{3}\n"],
    ["of several lines", "{pod}\n", "{1}\n{2}\n{3}\n"],
    ["with half a line behind", "{pod}\n", "{1}\n{3}\n{4"],
    ["without ends of lines", "{pod}", "{3}"],
    ["whose pod a person has written over", `\n${pretty}\n`, "{3}\n"],
  ])("%s is the same job afterwards, and has a record alone", async (_name, pod, job) => {
    await writeEarlierJob(root, UID, { pod, job });
    await writeFile(join(jobOf(UID), "logs/main-0.log"), "a log");
    const store = await open();
    expect(store.get(UID)).toEqual({
      schemaVersion: 1,
      uid: UID,
      name: "pod-9d3b5e0e",
      namespace: "default",
      phase: "submitted",
      jobId: "17",
      createdAt: "2026-01-01T00:00:00.000Z",
      record: { count: 3 },
    });
    expect(await store.data(UID)).toEqual(podData(UID));
    expect((await readdir(jobOf(UID))).sort()).toEqual(["containers", "logs", "volumes"]);
    expect(await readFile(store.paths(UID).log("main", 0), "utf8")).toBe("a log");
    expect((await stat(join(root, "records", `${UID}.json`))).mode & 0o777).toBe(0o600);
    await store.update(UID, () => ({ record: { count: 4 } }));
    expect((await open()).get(UID)).toMatchObject({ record: { count: 4 } });
  });

  test("of a bare store leaves no directory, unless it holds something else", async () => {
    for (const uid of ["a", "b"]) await writeEarlierJob(root, uid, { bare: true });
    await writeFile(join(jobOf("b"), "notes"), "mine");
    const store = await open(localDisk, true);
    expect(store.list().map(({ uid }) => uid)).toEqual(["a", "b"]);
    expect(await readdir(join(root, "jobs"))).toEqual(["b"]);
    expect(await readdir(jobOf("b"))).toEqual(["notes"]);
    expect((await open(localDisk, true)).list()).toHaveLength(2);
  });

  test.each(["", "{", "{pod}\n{pod}"])(
    "whose pod.json is %j is set aside with all its files",
    async (pod) => {
      await writeEarlierJob(root, UID, { pod });
      await writeEarlierJob(root, "other");
      let store = await open();
      store = await open();
      expect(store.quarantined).toMatchObject([{ uid: UID }]);
      expect(store.list().map(({ uid }) => uid)).toEqual(["other"]);
      await expect(store.create(podData(UID))).rejects.toMatchObject({ code: "internal" });
      const files = await readdir(join(store.quarantined[0]?.path ?? "", "files"));
      expect(files).toEqual(expect.arrayContaining(["job.json", "pod.json", "logs"]));
    },
  );

  test.each(["", "{", "{1}\n{", "{1}\n{\n"])(
    "whose job.json is %j is told from the last whole line, or begins anew",
    async (job) => {
      await writeEarlierJob(root, UID, { job });
      const store = await open();
      if (job === "{1}\n{") {
        expect(store.get(UID)).toMatchObject({ phase: "submitted", record: { count: 1 } });
        return;
      }
      expect(store.get(UID)).toMatchObject({ phase: "intent", rebuilt: true });
      const [kept = ""] = await readdir(join(root, "quarantine"));
      const text = await readFile(join(root, "quarantine", kept), "utf8");
      expect(text.endsWith(job.slice(-1))).toBe(true);
      expect(text.startsWith('{"schemaVersion"')).toBe(job.startsWith("{1}"));
    },
  );

  test("whose job.json is gone begins anew", async () => {
    await writeEarlierJob(root, UID);
    await rm(join(jobOf(UID), "job.json"));
    expect((await open()).get(UID)).toMatchObject({ phase: "intent", rebuilt: true });
  });

  test("of a newer version stops the start instead of being lost", async () => {
    await writeEarlierJob(root, UID, { job: '{"schemaVersion":2}\n' });
    await expect(open()).rejects.toThrow("newer version");
    expect(await readdir(jobOf(UID))).toContain("job.json");
  });

  test("that was deleted is removed", async () => {
    await (await open()).bury({ uid: UID, name: "p", namespace: "default" });
    await writeEarlierJob(root, UID);
    expect((await open()).list()).toEqual([]);
    expect(await readdir(join(root, "jobs"))).toEqual([]);
    expect(await readdir(join(root, "records"))).toEqual([]);
  });

  test.each([["job.json"], ["pod.json"], ["job.json", "pod.json"], ["pod.json.tmp"]])(
    "that has a record already is not taken for newer: %s",
    async (...left) => {
      const store = await open();
      await store.create(podData(UID));
      await store.update(UID, () => ({ record: { count: 7 } }));
      await writeEarlierJob(root, "whole");
      for (const name of left) {
        await writeFile(join(jobOf(UID), name), await readFile(join(jobOf("whole"), "job.json")));
      }
      expect((await open()).get(UID)).toMatchObject({ record: { count: 7 } });
      expect((await readdir(jobOf(UID))).sort()).toEqual(["containers", "logs", "volumes"]);
    },
  );

  test("is not lost when the disk fails at any point", async () => {
    for (let good = 0; ; good += 1) {
      await rm(root, { recursive: true, force: true });
      await writeEarlierJob(root, "a");
      await writeEarlierJob(root, "b", { job: "{" });
      let calls = 0;
      const mayFail = <T>(call: () => Promise<T>): Promise<T> => {
        calls += 1;
        if (calls > good) throw Object.assign(new Error("EIO"), { code: "EIO", syscall: "write" });
        return call();
      };
      const disk: Disk = {
        make: async (steps) => {
          for (const step of steps) await mayFail(() => localDisk.make([step]));
        },
        syncDirectory: async (path) => mayFail(() => localDisk.syncDirectory(path)),
        readText: async (path) => mayFail(() => localDisk.readText(path)),
      };
      const isOpen = await open(disk).then(
        () => true,
        (error: unknown) => {
          expect(error).toMatchObject({ code: "unavailable" });
          return false;
        },
      );
      const store = await open();
      expect(store.get("a")).toMatchObject({ record: { count: 3 } });
      expect(store.get("b")).toMatchObject({ rebuilt: true });
      expect(store.quarantined).toEqual([]);
      if (isOpen) break;
    }
  });
});

test("UIDs with dots are told apart from each other and from files that are being written", async () => {
  const uids = ["a", "a.json", "a.json.json", "a.json.tmp", "a-1", "a.json-1", "pod.json"];
  await writeEarlierJob(root, "a.json");
  await writeEarlierJob(root, "a.json.tmp");
  let store = await open();
  await Promise.all(
    uids.map(async (uid) => {
      await store.create(podData(uid));
      await store.replaceData(uid, podData(uid, { hostname: uid }));
    }),
  );
  await Promise.all(["a", "a-1"].map((uid) => store.remove(uid)));
  store = await open();
  const left = uids.filter((uid) => uid !== "a" && uid !== "a-1");
  expect(new Set(store.list().map(({ uid }) => uid))).toEqual(new Set(left));
  for (const uid of left) expect((await store.data(uid)).pod.spec?.hostname).toBe(uid);
});
