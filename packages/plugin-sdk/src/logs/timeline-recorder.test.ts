import { appendFile, mkdir, readFile, rename, rmdir, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { eventually } from "../testing/eventually.ts";
import { recordingLogger } from "../testing/recording-logger.ts";
import { temporaryDirectory } from "../testing/temporary-directory.ts";
import { decodeEntries, timelineFile } from "./timeline.ts";
import { createTimelineRecorder, entrySpacing } from "./timeline-recorder.ts";

async function entriesOf(file: string) {
  return decodeEntries(await readFile(timelineFile(file)).catch(() => Buffer.alloc(0)));
}

test("records each growth of a file that appears later, with the time it was seen", async () => {
  await using directory = await temporaryDirectory();
  const file = join(directory.path, "main-0.log");
  let clock = 1000;
  await using recorder = createTimelineRecorder({ now: () => clock });
  recorder.watch(file);
  recorder.watch(file);
  await writeFile(file, "one\n");
  await eventually("the first entry", async () => (await entriesOf(file)).length === 1);
  clock = 2000;
  await appendFile(file, "two\n");
  await eventually("the second entry", async () => (await entriesOf(file)).length === 2);
  expect(await entriesOf(file)).toEqual([
    { offset: 4, milliseconds: 1000 },
    { offset: 8, milliseconds: 2000 },
  ]);
});

test("what was written up to unwatch is recorded, later growth is not", async () => {
  await using directory = await temporaryDirectory();
  const file = join(directory.path, "main-0.log");
  await using recorder = createTimelineRecorder();
  recorder.watch(file);
  await writeFile(file, "one\n");
  await recorder.unwatch(file);
  expect((await entriesOf(file)).at(-1)?.offset).toBe(4);
  await appendFile(file, "two\n");
  await recorder.close();
  expect((await entriesOf(file)).at(-1)?.offset).toBe(4);
});

test("a new recorder carries on after a crash in mid-entry; the gap is as old as the file's last change", async () => {
  await using directory = await temporaryDirectory();
  const file = join(directory.path, "main-0.log");
  await writeFile(file, "one\ntwo\n");
  await writeFile(timelineFile(file), "000000000000004 00000000001000\n0000000");
  await utimes(file, 2, 2);
  await using recorder = createTimelineRecorder({ now: () => 9000 });
  recorder.watch(file);
  await recorder.unwatch(file);
  expect(await entriesOf(file)).toEqual([
    { offset: 4, milliseconds: 1000 },
    { offset: 8, milliseconds: 2000 },
  ]);
});

test("half an entry that a full disk left does not spoil those after it", async () => {
  await using directory = await temporaryDirectory();
  const file = join(directory.path, "main-0.log");
  const { logger, lines } = recordingLogger();
  await using recorder = createTimelineRecorder({ now: () => 5000, logger });
  recorder.watch(file);
  await writeFile(file, "one\n");
  await eventually("the first entry", async () => (await entriesOf(file)).length === 1);
  // A directory in its place makes the next write fail; half an entry is what a full disk leaves.
  await rename(timelineFile(file), `${file}.kept`);
  await mkdir(timelineFile(file));
  await appendFile(file, "two\n");
  await eventually("the failure is told", () => lines.some(({ level }) => level === 40));
  await rmdir(timelineFile(file));
  await appendFile(`${file}.kept`, "0000000");
  await rename(`${file}.kept`, timelineFile(file));
  await appendFile(file, "three\n");
  await recorder.unwatch(file);
  expect((await entriesOf(file)).map(({ offset }) => offset)).toEqual([4, 14]);
});

test("times never run backwards, even when the clock does", async () => {
  await using directory = await temporaryDirectory();
  const file = join(directory.path, "main-0.log");
  let clock = 5000;
  await using recorder = createTimelineRecorder({ now: () => clock });
  await writeFile(file, "a");
  recorder.watch(file);
  await eventually("the first entry", async () => (await entriesOf(file)).length === 1);
  clock = 10;
  await appendFile(file, "b");
  await recorder.unwatch(file);
  expect((await entriesOf(file)).map(({ milliseconds }) => milliseconds)).toEqual([5000, 5000]);
});

test("the longer a timeline, the rarer its entries", () => {
  expect([0, 49_999, 50_000, 150_000, 1e9].map(entrySpacing)).toEqual([20, 20, 40, 160, 60_000]);
});
