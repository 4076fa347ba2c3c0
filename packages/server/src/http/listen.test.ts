import { mkdtemp, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { send } from "../testing/go-caller.ts";
import { startSite } from "../testing/site.ts";

let directory: string;
let unixSocket: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "interlink-listen-"));
  unixSocket = join(directory, "server.sock");
});
afterEach(() => rm(directory, { recursive: true, force: true }));

test.each([
  [undefined, 0o660],
  [0o600, 0o600],
  [0o666, 0o666],
])("a socket told the mode %o has %o", async (mode, expected) => {
  const listen = { unixSocket, ...(mode === undefined ? {} : { mode }) };
  const before = process.umask();
  await using site = await startSite({ listen });
  expect((await stat(unixSocket)).mode & 0o777).toBe(expected);
  expect(process.umask()).toBe(before);
  expect((await send(site.address, "GET", "/healthz")).code).toBe(200);
});

test("a link in the place of the socket is not followed, whatever it leads to", async () => {
  const victim = join(directory, "victim");
  await writeFile(victim, "kept");
  await symlink(victim, unixSocket);
  await expect(startSite({ listen: { unixSocket } })).rejects.toThrow(/not a socket/);
  expect((await stat(victim)).size).toBe(4);
  await using _site = await startSite({ listen: { unixSocket: join(directory, "real.sock") } });
  const dangling = join(directory, "dangling.sock");
  await symlink(join(directory, "real.sock"), dangling);
  await expect(startSite({ listen: { unixSocket: dangling } })).rejects.toThrow(/not a socket/);
});
