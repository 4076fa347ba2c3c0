import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "@interlink/kube/testing";
import { pino } from "pino";
import { expect, test } from "vitest";
import { selfSignedCertificate } from "../kubelet-api/serving-certificate.ts";
import type { KeyPair } from "./certificate-facts.ts";
import { followCertificateFiles, readCertificateFiles } from "./followed-files.ts";

test("a replaced certificate is taken once both of its files are there", async () => {
  const folder = await mkdtemp(join(tmpdir(), "interlink-files-"));
  const files = { cert: join(folder, "tls.crt"), key: join(folder, "tls.key") };
  const [first, second] = await Promise.all(
    ["a", "b"].map((host) => selfSignedCertificate("n", [host], new Date())),
  );
  if (first === undefined || second === undefined) throw new Error("no certificates");
  await writeFile(files.cert, first.cert);
  await writeFile(files.key, first.key);
  const known = await readCertificateFiles(files);
  const used: KeyPair[] = [];
  const warnings: unknown[] = [];
  const stop = new AbortController();
  const logger = pino({ level: "warn" }, { write: (line: string) => void warnings.push(line) });
  const use = (pair: KeyPair) => void used.push(pair);
  const following = followCertificateFiles(files, known, use, logger, stop.signal, 1);
  await writeFile(files.cert, second.cert);
  await eventually(() => warnings.length > 0);
  expect(used).toEqual([]);
  await writeFile(files.key, second.key);
  await eventually(() => used.length === 1);
  expect(used[0]).toEqual(second);
  stop.abort();
  await following;
  await rm(folder, { recursive: true });
});
