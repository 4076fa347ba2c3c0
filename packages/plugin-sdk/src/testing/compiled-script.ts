import { execFile } from "node:child_process";
import { symlink, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const SRC = fileURLToPath(new URL("..", import.meta.url));
const MODULES = fileURLToPath(new URL("../../../../node_modules", import.meta.url));

/**
 * Compile a TypeScript file of this package (and what it imports) into `directory`, for tests that need a process of
 * its own to kill. Its own packages must be imported as types only. Returns the path of the JavaScript file.
 */
export async function compiledScript(entry: URL, directory: string): Promise<string> {
  const source = fileURLToPath(entry);
  await writeFile(join(directory, "package.json"), '{"type":"module"}');
  await symlink(MODULES, join(directory, "node_modules"));
  const compilerOptions = {
    module: "nodenext",
    target: "es2022",
    lib: ["es2023", "esnext.disposable"],
    types: [],
    noCheck: true,
    rewriteRelativeImportExtensions: true,
    customConditions: ["source"],
    rootDir: SRC,
    outDir: join(directory, "out"),
  };
  const config = join(directory, "tsconfig.json");
  await writeFile(config, JSON.stringify({ compilerOptions, files: [source] }));
  await promisify(execFile)(join(MODULES, ".bin", "tsc"), ["-p", config]);
  const relative = source.slice(SRC.length).replace(/\.ts$/, ".js");
  return join(directory, "out", relative === "" ? basename(source) : relative);
}
