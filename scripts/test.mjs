// npm test [-- vitest arguments]: set up what is missing, then run every test.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { ensureBuilt, root } from "./lib/setup.mjs";

await ensureBuilt();
const { status, signal } = spawnSync(
  process.execPath,
  [join(root, "node_modules", "vitest", "vitest.mjs"), "run", ...process.argv.slice(2)],
  { cwd: root, stdio: "inherit" },
);
process.exitCode = signal ? 1 : (status ?? 1);
