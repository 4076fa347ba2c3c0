import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { cacheFolder } from "../systems/cache-folder.ts";
import { findProgram } from "../systems/programs.ts";

export const chartFolder = fileURLToPath(new URL("../../../deploy/chart", import.meta.url));

/** A chart's values, or a part of them. */
export type Values = Record<string, unknown>;

/** Each file of `templates/` by its name, rendered. */
export type Rendered = Readonly<Record<string, string>>;

/** What a file of the existing chart may say. */
export function existingValues(): Values {
  return parse(readFileSync(join(chartFolder, "ci/existing-values.yaml"), "utf8")) as Values;
}

/** Why charts cannot be rendered on this machine; `undefined`: they can. */
export const whyNoChart = findProgram("go") === undefined ? "there is no go" : undefined;

/** Renders our chart with these values above its own, as `helm template` does. Throws what the chart says is wrong. */
export async function renderChart(
  values: Values,
  release = { Name: "my-release", Namespace: "interlink", Service: "Helm" },
): Promise<Rendered> {
  const own = parse(await readFile(join(chartFolder, "values.yaml"), "utf8")) as Values;
  const { name, appVersion } = parse(await readFile(join(chartFolder, "Chart.yaml"), "utf8")) as {
    name: string;
    appVersion: string;
  };
  const data = {
    Values: merged(own, values),
    Release: release,
    Chart: { Name: name, AppVersion: appVersion },
  };
  return JSON.parse(await run(await renderer(), [chartFolder], JSON.stringify(data))) as Rendered;
}

/** As Helm merges: mappings key by key, all else replaced. */
function merged(below: Values, above: Values): Values {
  const result = { ...below };
  for (const [key, value] of Object.entries(above)) {
    const was = result[key];
    result[key] = isMapping(was) && isMapping(value) ? merged(was, value) : value;
  }
  return result;
}

function isMapping(value: unknown): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The program of render.go, built once for each of its versions. It needs nothing but Go's own library. */
async function renderer(): Promise<string> {
  const source = fileURLToPath(new URL("./render.go", import.meta.url));
  const version = createHash("sha256")
    .update(await readFile(source))
    .digest("hex");
  const program = join(cacheFolder("helm-render"), version.slice(0, 16));
  if (existsSync(program)) return program;
  const fresh = `${program}.${process.pid}`;
  await run(findProgram("go") ?? "go", ["build", "-o", fresh, source], "");
  await rename(fresh, program);
  return program;
}

function run(command: string, args: readonly string[], input: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, GOPROXY: "off", GOFLAGS: "", GO111MODULE: "off" };
    const child = execFile(
      command,
      args,
      { env, timeout: 600_000, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else reject(new Error(stderr.trim() || error.message, { cause: error }));
      },
    );
    child.stdin?.on("error", () => undefined).end(input);
  });
}
