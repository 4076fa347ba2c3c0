import { pino } from "pino";
import { localDisk } from "../jobs/disk.ts";
import { openJobStore } from "../jobs/open-job-store.ts";
import { ThreadedDisk } from "../jobs/threaded-disk.ts";
import { podData } from "./pod-data.ts";

/**
 * A process that creates, updates and removes jobs for ever, telling each answered step on stdout; made to be killed.
 * Words: the store's root; and where given, the script of the threads that write its files, of which it then has no more
 * than records.
 */
const [, , root = "", threads] = process.argv;
const store = await openJobStore<{ count: number }>({
  root,
  bare: threads !== undefined,
  disk: threads === undefined ? localDisk : new ThreadedDisk({ script: threads }),
  logger: pino({ level: "silent" }),
  newRecord: () => ({ count: 0 }),
});
const filler = "x".repeat(20_000);
for (let serial = 0; ; serial += 1) {
  const uid = `${process.pid}-${serial}`;
  const data = podData(uid);
  data.jobScript = filler;
  await store.create(data);
  tell(uid, 0, false);
  for (let count = 1; count <= 5; count += 1) {
    await store.update(uid, () => ({ record: { count } }));
    tell(uid, count, false);
  }
  if (serial % 2 === 0) {
    await store.remove(uid);
    tell(uid, 5, true);
  }
}

function tell(uid: string, count: number, removed: boolean): void {
  process.stdout.write(`${JSON.stringify({ uid, count, removed })}\n`);
}
