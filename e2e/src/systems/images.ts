import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type EngineClient, isEngineError, jsonLines } from "@interlink/plugin-docker";
import { findProgram, runProgram } from "./programs.ts";

/** The image that most tests run: `sh` and the usual commands, nothing else. */
export const BUSYBOX = "busybox:latest";

const forever = new AbortController().signal;

/**
 * Makes an image out of one statically linked busybox, without any download.
 * `changes` are Dockerfile lines (`ENTRYPOINT ["/bin/echo"]`, `USER 1000`, `WORKDIR /work` …).
 */
export async function makeBusyboxImage(
  engine: EngineClient,
  reference: string,
  changes: readonly string[] = ['CMD ["sh"]'],
): Promise<void> {
  const answer = await engine.stream({
    method: "POST",
    path: "/images/create",
    // Podman overlooks a tag that is not part of the name.
    query: { fromSrc: "-", repo: reference, changes: ["ENV PATH=/bin:/usr/bin", ...changes] },
    body: await busyboxTar(),
    signal: forever,
  });
  await finish(answer);
}

export async function hasImage(engine: EngineClient, reference: string): Promise<boolean> {
  try {
    await engine.json({ method: "GET", path: `/images/${reference}/json`, signal: forever });
    return true;
  } catch (error) {
    if (isEngineError(error, "not-found")) return false;
    throw error;
  }
}

/** Another name for an image that is there. */
export async function tagImage(engine: EngineClient, from: string, to: string): Promise<void> {
  const { repository, tag } = splitReference(to);
  await engine.json({
    method: "POST",
    path: `/images/${from}/tag`,
    query: { repo: repository, tag },
    signal: forever,
  });
}

/** Takes a name away from an image, and the image if nothing else needs it. No such image: fine. */
export async function untagImage(engine: EngineClient, reference: string): Promise<void> {
  try {
    await engine.json({
      method: "DELETE",
      path: `/images/${reference}`,
      query: { force: true },
      signal: forever,
    });
  } catch (error) {
    if (!isEngineError(error, "not-found")) throw error;
  }
}

/** Pushes to the registry that the name says. */
export async function pushImage(
  engine: EngineClient,
  reference: string,
  login: { username?: string; password?: string } = {},
): Promise<void> {
  const { repository, tag } = splitReference(reference);
  const answer = await engine.stream({
    method: "POST",
    path: `/images/${repository}/push`,
    query: { tag },
    headers: { "x-registry-auth": registryAuth(login) },
    signal: forever,
  });
  await finish(answer);
}

/** Fetches from a registry. Tests only do that as a last resort, on machines without a static busybox. */
export async function pullImage(engine: EngineClient, reference: string): Promise<void> {
  const answer = await engine.stream({
    method: "POST",
    path: "/images/create",
    query: { fromImage: reference },
    signal: forever,
  });
  await finish(answer);
}

export function staticBusybox(): string | undefined {
  return findProgram("busybox");
}

/** Base64 for URLs, with padding. */
function registryAuth(login: object): string {
  const text = Buffer.from(JSON.stringify(login)).toString("base64");
  return text.replaceAll("+", "-").replaceAll("/", "_");
}

async function finish(progress: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const record of jsonLines(progress)) {
    if (typeof record === "object" && record !== null && "error" in record) {
      throw new Error(String(record.error));
    }
  }
}

function splitReference(reference: string): { repository: string; tag: string } {
  const colon = reference.lastIndexOf(":");
  return colon > reference.lastIndexOf("/")
    ? { repository: reference.slice(0, colon), tag: reference.slice(colon + 1) }
    : { repository: reference, tag: "latest" };
}

/** The files of the image that most tests run, as a tar archive. */
export async function busyboxTar(): Promise<Buffer> {
  const busybox = staticBusybox();
  if (busybox === undefined) {
    throw new Error("Making the test images needs busybox (Debian package busybox-static).");
  }
  const root = mkdtempSync(join(tmpdir(), "interlink-busybox-"));
  try {
    for (const folder of [
      "bin",
      "dev",
      "etc",
      "home",
      "proc",
      "root",
      "sys",
      "tmp",
      "usr",
      "var",
    ]) {
      mkdirSync(join(root, folder));
    }
    chmodSync(join(root, "tmp"), 0o1777);
    copyFileSync(busybox, join(root, "bin/busybox"));
    chmodSync(join(root, "bin/busybox"), 0o755);
    for (const name of (await runProgram(busybox, ["--list"])).toString().split("\n")) {
      if (name !== "" && name !== "busybox") symlinkSync("busybox", join(root, "bin", name));
    }
    symlinkSync("../bin", join(root, "usr/bin"));
    writeFileSync(
      join(root, "etc/passwd"),
      "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/home:/bin/false\n",
    );
    writeFileSync(join(root, "etc/group"), "root:x:0:\nnobody:x:65534:\n");
    return await runProgram("tar", ["-C", root, "--owner=0", "--group=0", "-c", "."]);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
