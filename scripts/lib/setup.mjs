// Install and build, each only when something it depends on has changed. Plain JavaScript without dependencies:
// it runs before anything is installed.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { constants as constantsOfSystem } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { oneAtATime } from "./one-at-a-time.mjs";

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const cache = join(root, "node_modules", ".cache", "interlink");

/** Says that an install began here; gone when it has ended well. */
const halfInstalled = join(cache, "half-installed");

/** @param {() => Promise<void>} act */
async function alone(act) {
  try {
    accessSync(root, constants.W_OK);
  } catch {
    process.stderr.write(
      `This checkout is to be set up, and this user may not write in ${root}. Run npm run build as its owner: then anybody may run it.\n`,
    );
    process.exit(1);
  }
  await oneAtATime(join(root, ".setting-up"), act);
}

async function step(title, command, args) {
  const started = Date.now();
  process.stderr.write(`${title} …\n`);
  // A session of its own, so that Ctrl-C reaches this process alone: npm would undo for half a minute what it has begun.
  const child = spawn(command, args, { cwd: root, stdio: ["ignore", 2, 2], detached: true });
  let interrupted;
  const leave = (signal) => {
    interrupted = signal;
    try {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  };
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const signal of signals) process.on(signal, leave);
  const { status, error } = await new Promise((resolve) => {
    child.once("error", (error) => resolve({ error }));
    child.once("exit", (status) => resolve({ status }));
  });
  for (const signal of signals) process.off(signal, leave);
  if (interrupted !== undefined) {
    process.stderr.write(`\n${title} interrupted; the next run does it anew.\n`);
    process.exit(128 + constantsOfSystem.signals[interrupted]);
  }
  if (status !== 0) {
    // npm has undone what it began.
    rmSync(halfInstalled, { force: true });
    process.stderr.write(
      `${title} failed${error ? `: ${error.message}` : ""} (command: ${command} ${args.join(" ")})\n`,
    );
    process.exit(status ?? 1);
  }
  process.stderr.write(`${title} done in ${((Date.now() - started) / 1000).toFixed(1)} s\n`);
}

/** Whether the file in the cache says `value`. */
function stamped(name, value) {
  const file = join(cache, name);
  return existsSync(file) && readFileSync(file, "utf8") === value;
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

export async function ensureInstalled() {
  const lock = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
  if (stamped("installed", lock)) return;
  // Not `npm ci`: it throws away what is installed, under whatever else runs from this checkout. `--no-save` keeps the
  // lock file as it is.
  const args = ["install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error"];
  await alone(async () => {
    if (stamped("installed", lock)) return;
    // Packages that are half there look whole to npm: begin anew.
    if (existsSync(halfInstalled))
      rmSync(join(root, "node_modules"), { recursive: true, force: true });
    mkdirSync(cache, { recursive: true });
    writeFileSync(halfInstalled, "");
    await step("Installing dependencies (npm install)", "npm", args);
    mkdirSync(cache, { recursive: true });
    writeFileSync(join(cache, "installed"), lock);
    rmSync(halfInstalled, { force: true });
  });
}

/** Build everything, or with `product` only the command line and what it is made of: less to wait for at the first start. */
export async function ensureBuilt({ product = false } = {}) {
  await ensureInstalled();
  const name = product ? "built-product" : "built";
  const folders = workspaces(product);
  if (stamped(name, sourceDigest(folders))) return;
  await alone(async () => {
    if (stamped(name, sourceDigest(folders))) return;
    await step("Building (tsc -b)", process.execPath, [
      join(root, "node_modules", "typescript", "bin", "tsc"),
      "-b",
      ...(product ? [join(root, "packages", "cli")] : []),
    ]);
    writeFileSync(join(cache, name), sourceDigest(folders));
  });
}
