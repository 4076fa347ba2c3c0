// npm run configuration: write docs/configuration.md from the schemas of all roles.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ensureBuilt, root } from "./lib/setup.mjs";

await ensureBuilt();
const page = join(root, "packages", "cli", "dist", "config", "configuration-page.js");
const { configurationPage } = await import(pathToFileURL(page).href);
const file = join(root, "docs", "configuration.md");
writeFileSync(file, await configurationPage());
process.stdout.write(`Wrote ${file}\n`);
