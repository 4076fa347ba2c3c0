import { chmod, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Logger, pino } from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadConfig } from "./config/config-file.ts";
import { readServerConfig } from "./config/server-config.ts";
import { secretFile } from "./secret-file.ts";

let directory: string;
let file: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "interlink-modes-"));
  file = join(directory, "secret");
  await writeFile(file, "s3cret");
});
afterAll(() => rm(directory, { recursive: true, force: true }));

function log() {
  const lines: string[] = [];
  const logger = pino({ level: "info" }, { write: (line) => void lines.push(line) }) as Logger;
  return { lines, logger };
}

test.each([
  [0o600, 0],
  [0o640, 0],
  [0o644, 1],
])("a secret of mode %o is read, with %i warnings that do not tell it", async (mode, warnings) => {
  await chmod(file, mode);
  const { lines, logger } = log();
  expect(await secretFile(file, "KeyFile", logger)).toBe("s3cret");
  expect(lines).toHaveLength(warnings);
  expect(lines.join("")).not.toContain("s3cret");
});

test("a secret that anyone may write is refused, also by a link", async () => {
  await chmod(file, 0o602);
  const link = join(directory, "link");
  await symlink(file, link);
  for (const name of [file, link]) {
    await expect(secretFile(name, "KeyFile", log().logger)).rejects.toThrow(/KeyFile.*chmod o-w/);
  }
});

test("a configuration that anyone may write is refused", async () => {
  const config = join(directory, "InterLinkConfig.yaml");
  await writeFile(config, "SidecarURL: http://127.0.0.1\n");
  await chmod(config, 0o666);
  const load = () => loadConfig(readServerConfig, { variables: [] }, config, {});
  await expect(load()).rejects.toThrow(/chmod o-w/);
  await chmod(config, 0o644);
  expect((await load()).value.SidecarURL).toBe("http://127.0.0.1");
});
