import { execFile } from "node:child_process";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const REPOSITORY = fileURLToPath(new URL("../../../../", import.meta.url));
const PACKAGES = ["packages/plugin-sdk", "packages/protocol"];

/**
 * Compile `plugin-child.ts` with the sources that it uses (not what happens to be built) into `directory`, for tests
 * that need a plugin process to kill. Returns the path of the JavaScript file.
 */
export async function compiledChild(directory: string): Promise<string> {
  const out = join(directory, "out");
  const compilerOptions = {
    module: "nodenext",
    target: "es2022",
    lib: ["es2023", "esnext.disposable"],
    types: [],
    noCheck: true,
    rewriteRelativeImportExtensions: true,
    resolveJsonModule: true,
    // By their files, not through node_modules: what the compiler finds there first it does not write out, and which
    // way it comes to a file first differs from run to run.
    paths: Object.fromEntries(
      PACKAGES.map((path) => [
        path.replace("packages/", "@interlink/"),
        [join(REPOSITORY, path, "src/index.ts")],
      ]),
    ),
    rootDir: REPOSITORY,
    outDir: out,
  };
  const child = "plugins/process/src/testing/plugin-child";
  const config = join(directory, "tsconfig.json");
  const files = [join(REPOSITORY, `${child}.ts`)];
  await writeFile(config, JSON.stringify({ compilerOptions, files }));
  await symlink(join(REPOSITORY, "node_modules"), join(directory, "node_modules"));
  await promisify(execFile)(join(REPOSITORY, "node_modules/.bin/tsc"), ["-p", config]);
  await writeFile(join(out, "package.json"), '{"type":"module"}');
  const packageJson = JSON.stringify({ type: "module", exports: { ".": "./src/index.js" } });
  for (const path of PACKAGES) await writeFile(join(out, path, "package.json"), packageJson);
  // Our own packages are the ones just compiled; all others are found further up.
  for (const user of ["plugins/process", ...PACKAGES]) {
    const scope = join(out, user, "node_modules/@interlink");
    await mkdir(scope, { recursive: true });
    for (const path of PACKAGES) {
      await symlink(join(out, path), join(scope, path.slice("packages/".length)));
    }
  }
  return join(out, `${child}.js`);
}
