// npm run openapi: write docs/openapi/*.json from the schemas of packages/protocol.
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ensureBuilt, root } from "./lib/setup.mjs";

await ensureBuilt();
const door = pathToFileURL(join(root, "packages", "protocol", "dist", "index.js"));
const { openApiDocument } = await import(door.href);
const folder = join(root, "docs", "openapi");
mkdirSync(folder, { recursive: true });
const files = ["interlink", "plugin"].map((face) => {
  const file = join(folder, `${face}.json`);
  writeFileSync(file, `${JSON.stringify(openApiDocument(face), null, 2)}\n`);
  return file;
});
spawnSync(join(root, "node_modules", ".bin", "biome"), ["format", "--write", ...files], {
  cwd: root,
  stdio: ["ignore", "ignore", "inherit"],
});
process.stdout.write(`Wrote ${files.join(" and ")}\n`);
