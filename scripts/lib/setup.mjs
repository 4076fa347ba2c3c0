// Install and build, each only when something it depends on has changed. Plain JavaScript without dependencies:
// it runs before anything is installed.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const cache = join(root, "node_modules", ".cache", "interlink");

function step(title, command, args) {
  const started = Date.now();
  process.stderr.write(`${title} …\n`);
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ["ignore", 2, 2] });
  if (status !== 0) {
    process.stderr.write(
      `${title} failed${error ? `: ${error.message}` : ""} (command: ${command} ${args.join(" ")})\n`,
    );
    process.exit(status ?? 1);
  }
  process.stderr.write(`${title} done in ${((Date.now() - started) / 1000).toFixed(1)} s\n`);
}

function stamped(name, value, act) {
  const file = join(cache, name);
  if (existsSync(file) && readFileSync(file, "utf8") === value) return;
  act();
  mkdirSync(cache, { recursive: true });
  writeFileSync(file, value);
}

/** The folders of the packages; those of the product alone, or with what tests and measures it. */
function workspaces(product) {
  return ["packages", "plugins"]
    .flatMap((parent) => readdirSync(join(root, parent)).map((name) => join(root, parent, name)))
    .concat(product ? [] : [join(root, "e2e"), join(root, "bench")])
    .filter((folder) => existsSync(join(folder, "package.json")));
}

/** Name, size and time of every source file: enough to see that something changed, without reading it. */
function sourceDigest(folders) {
  const hash = createHash("sha256");
  const visit = (folder) => {
    for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) =>
      a.name < b.name ? -1 : 1,
    )) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) visit(path);
      else {
        const { size, mtimeMs } = statSync(path);
        hash.update(`${path}\0${size}\0${mtimeMs}\n`);
      }
    }
  };
  for (const folder of folders) {
    if (existsSync(join(folder, "src"))) visit(join(folder, "src"));
    hash.update(readFileSync(join(folder, "package.json")));
    hash.update(readFileSync(join(folder, "tsconfig.json")));
    hash.update(String(existsSync(join(folder, "dist"))));
  }
  hash.update(readFileSync(join(root, "tsconfig.base.json")));
  return hash.digest("hex");
}

export function ensureInstalled() {
  const lock = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
  // Not `npm ci`: it throws away what is installed, under whatever else runs from this checkout. `--no-save` keeps the
  // lock file as it is.
  const args = ["install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error"];
  stamped("installed", lock, () => step("Installing dependencies (npm install)", "npm", args));
}

/** Build everything, or with `product` only the command line and what it is made of: less to wait for at the first start. */
export function ensureBuilt({ product = false } = {}) {
  ensureInstalled();
  const file = join(cache, product ? "built-product" : "built");
  const folders = workspaces(product);
  if (existsSync(file) && readFileSync(file, "utf8") === sourceDigest(folders)) return;
  step("Building (tsc -b)", process.execPath, [
    join(root, "node_modules", "typescript", "bin", "tsc"),
    "-b",
    ...(product ? [join(root, "packages", "cli")] : []),
  ]);
  mkdirSync(cache, { recursive: true });
  writeFileSync(file, sourceDigest(folders));
}
