// npm run bench [-- options]: set up what is missing, then measure (bench/README.md).
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ensureBuilt, root } from "./lib/setup.mjs";

await ensureBuilt();
await import(pathToFileURL(join(root, "bench", "dist", "main.js")).href);
