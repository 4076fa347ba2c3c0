// npm run check: format, lint with import rules, types of sources and tests, dead code, the lock file.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { lockFileFaults } from "./lib/lock-file.mjs";
import { ensureBuilt, root } from "./lib/setup.mjs";

await ensureBuilt();
const bin = (name) => join(root, "node_modules", ".bin", name);
/** @type {[string, string, string[]][]} */
const checks = [
  ["Format (biome)", bin("biome"), ["check", "."]],
  ["Lint and import rules (oxlint)", bin("oxlint"), ["--type-aware", "--deny-warnings"]],
  ["Types, tests included (tsc)", bin("tsc"), ["-p", "tsconfig.tests.json"]],
  ["Dead code and dependencies (knip)", bin("knip"), ["--no-progress"]],
];
let failed = 0;
for (const [title, command, args] of checks) {
  process.stdout.write(`${title}\n`);
  const { status } = spawnSync(command, args, { cwd: root, stdio: "inherit" });
  if (status !== 0) failed++;
}
process.stdout.write("Lock file\n");
const faults = lockFileFaults(root);
for (const fault of faults) process.stdout.write(`package-lock.json: ${fault}\n`);
if (faults.length > 0) failed++;
process.stdout.write(
  failed === 0 ? "All checks passed.\n" : `${failed} of ${checks.length + 1} checks failed.\n`,
);
process.exitCode = failed === 0 ? 0 : 1;
