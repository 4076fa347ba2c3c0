import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { podData } from "./pod-data.ts";

/**
 * Writes a job as versions before the records did, in `jobs/<uid>` of the store's root. In the texts, `{pod}` stands for the
 * pod, and `{3}` for the job with the count 3.
 */
export async function writeEarlierJob(
  root: string,
  uid: string,
  {
    pod = "{pod}\n",
    job = "{3}\n",
    bare = false,
  }: { pod?: string; job?: string; bare?: boolean } = {},
): Promise<void> {
  const directory = join(root, "jobs", uid);
  const made = bare
    ? [directory]
    : ["volumes", "logs", "containers"].map((x) => join(directory, x));
  for (const path of made) await mkdir(path, { recursive: true, mode: 0o700 });
  const data = podData(uid);
  const text = pod.replaceAll("{pod}", JSON.stringify(data));
  await writeFile(join(directory, "pod.json"), text, { mode: 0o600 });
  const whole = (_: string, count: string): string =>
    JSON.stringify({
      schemaVersion: 1,
      uid,
      name: data.pod.metadata?.name,
      namespace: "default",
      phase: "submitted",
      createdAt: "2026-01-01T00:00:00.000Z",
      jobId: "17",
      record: { count: Number(count) },
    });
  await writeFile(join(directory, "job.json"), job.replaceAll(/\{(\d)\}/g, whole), { mode: 0o600 });
}
