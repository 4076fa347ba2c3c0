import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { configurationPage } from "./configuration-page.ts";

test("docs/configuration.md is what the schemas say (npm run configuration writes it)", async () => {
  const page = new URL("../../../../docs/configuration.md", import.meta.url);
  expect(await readFile(page, "utf8")).toBe(await configurationPage());
});

test("every key has a meaning", async () => {
  const rows = (await configurationPage()).split("\n").filter((line) => line.startsWith("| `"));
  expect(rows.length).toBeGreaterThan(200);
  expect(rows.filter((row) => /\|\s*\|$/.test(row))).toEqual([]);
});
