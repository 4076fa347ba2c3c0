import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startServer } from "@interlink/server";
import { pino } from "pino";
import { expect, test } from "vitest";

// docs/metrics.md and the dashboard name the metrics that the programs have, no more and no fewer.

const root = fileURLToPath(new URL("../../../", import.meta.url));
const read = (file: string) => readFileSync(join(root, file), "utf8");

interface Metric {
  name: string;
  type: string;
  labels: string[];
  help: string;
}

/** Every metric that a source file declares. */
function declared(folder: string): Metric[] {
  const files = readdirSync(join(root, folder), { recursive: true, encoding: "utf8" });
  const metrics = files
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
    .flatMap((file) => {
      const text = read(join(folder, file));
      const found = text.matchAll(
        /new (Gauge|Counter|Histogram|Summary)\(\{\s*name: "([^"]+)",\s*help: "([^"]+)",(?:\s*labelNames: \[([^\]]*)\])?/g,
      );
      return [...found].map(([, type = "", name = "", help = "", labels = ""]) => ({
        name,
        type: type.toLowerCase(),
        labels: [...labels.matchAll(/"([^"]+)"/g)].map(([, label = ""]) => label),
        help: help.replace(/\.$/, ""),
      }));
    });
  return metrics.toSorted((a, b) => a.name.localeCompare(b.name));
}

const PROGRAMS = {
  "Virtual node": "packages/node/src",
  "API server": "packages/server/src",
  Plugins: "packages/plugin-sdk/src",
};

function table(folder: string): string[] {
  const rows = declared(folder).map(({ name, type, labels, help }) => {
    const shown = labels.map((label) => `\`${label}\``).join(", ");
    return `| \`${name}\` | ${type} | ${shown} | ${help} |`;
  });
  return ["| Metric | Type | Labels | Meaning |", "| --- | --- | --- | --- |", ...rows];
}

/** However wide its columns are. */
function cellsOf(row: string): string[] {
  return row.split("|").map((cell) => cell.trim().replace(/^-+$/, "---"));
}

test.each(Object.entries(PROGRAMS))("the page lists the metrics of: %s", (title, folder) => {
  const page = read("docs/metrics.md");
  const [, section = ""] =
    new RegExp(`^## ${title}$([^]*?)(?=^## |$(?![^]))`, "m").exec(page) ?? [];
  const rows = section.split("\n").filter((line) => line.startsWith("|"));
  expect(rows.map(cellsOf)).toEqual(table(folder).map(cellsOf));
});

test("no metric is declared in a way that the page does not see", () => {
  const folders = ["packages", "plugins"].flatMap((folder) =>
    readdirSync(join(root, folder)).map((name) => join(folder, name, "src")),
  );
  const seen = new Set(
    Object.values(PROGRAMS)
      .flatMap((folder) => declared(folder))
      .map(({ name }) => name),
  );
  const made = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
      .flatMap((file) => [
        ...read(join(folder, file)).matchAll(/name: "((?:interlink|process)_[a-z_]+)"/g),
      ]),
  );
  expect(made.length).toBeGreaterThan(10);
  for (const [, name = ""] of made) expect(seen).toContain(name);
});

test("what an API server tells is what its table says", async () => {
  await using server = await startServer({
    listen: { host: "127.0.0.1", port: 0 },
    plugin: { address: "http://127.0.0.1:9" },
    logger: pino({ level: "silent" }),
  });
  const text = await (await fetch(`${server.address}/metrics`)).text();
  const told = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => ({
    name,
    type,
  }));
  expect(told.length).toBeGreaterThan(5);
  for (const one of told)
    expect(declared("packages/server/src")).toContainEqual(expect.objectContaining(one));
});

interface Panel {
  title: string;
  targets?: { expr: string }[];
  panels?: Panel[];
}

test("every query of the dashboard is about metrics and labels that there are", () => {
  const all = Object.values(PROGRAMS).flatMap((folder) => declared(folder));
  const names = new Map(
    all.flatMap((metric) =>
      (metric.type === "histogram" ? ["_bucket", "_sum", "_count"] : [""]).map(
        (suffix) => [metric.name + suffix, metric] as const,
      ),
    ),
  );
  const { panels } = JSON.parse(read("deploy/grafana/interlink.json")) as { panels: Panel[] };
  const queries = panels
    .flatMap((panel) => [panel, ...(panel.panels ?? [])])
    .flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ title, expr })));
  expect(queries.length).toBeGreaterThan(10);
  const used = new Set<string>();
  for (const { title, expr } of queries) {
    const found = [...expr.matchAll(/\b(?:interlink|process)_[a-z_]+/g)].map(([name]) => name);
    expect(found, title).not.toEqual([]);
    for (const name of found) {
      expect([...names.keys()], `${title}: ${expr}`).toContain(name);
      used.add(names.get(name)?.name ?? "");
    }
    const labels = new Set(found.flatMap((name) => names.get(name)?.labels ?? []));
    const usual = ["instance", "job", "le"];
    for (const [, grouped = ""] of expr.matchAll(/\bby \(([^)]*)\)/g)) {
      for (const label of grouped.split(/,\s*/)) {
        expect([...labels, ...usual], `${title}: ${expr}`).toContain(label);
      }
    }
  }
  // What nobody looks at need not be counted.
  expect(all.map(({ name }) => name).filter((name) => !used.has(name))).toEqual([]);
});
