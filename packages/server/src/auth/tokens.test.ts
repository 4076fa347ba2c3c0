import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTokenFile } from "@interlink/protocol";
import { expect, test } from "vitest";
import { startSite } from "../testing/site.ts";

const TOKEN = "first-token-0123456789";

test("a file of tokens keeps strangers from the plugin, and lets health be asked", async () => {
  const directory = await mkdtemp(join(tmpdir(), "interlink-tokens-"));
  try {
    const file = join(directory, "tokens");
    await writeFile(file, TOKEN, { mode: 0o600 });
    const logger = { info: () => {}, warn: () => {} };
    const authenticate = await createTokenFile({ file, logger, now: () => 0 });
    await using site = await startSite({ authenticate });
    site.plugin.says("/status", "[]");
    const ask = (path: string, headers: Record<string, string> = {}) =>
      fetch(`${site.address}${path}`, { method: "POST", headers, body: "[]" });
    expect((await ask("/pinglink")).status).toBe(401);
    expect(site.plugin.requests).toEqual([]);
    expect((await ask("/pinglink", { authorization: `Bearer ${TOKEN}` })).status).toBe(200);
    expect((await fetch(`${site.address}/healthz`)).status).toBe(200);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
