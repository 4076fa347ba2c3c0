import { readdirSync, readFileSync } from "node:fs";

/** One file of `packages/protocol/fixtures` (see its README). */
export interface Fixture {
  name: string;
  kind: string;
  about: string;
  body: string;
  written?: boolean;
  reads?: unknown;
  httpStatus?: number;
  words?: string;
}

const folder = new URL("../../fixtures/", import.meta.url);

export function loadFixtures(): Fixture[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".json"))
    .map((file) => ({
      ...(JSON.parse(readFileSync(new URL(file, folder), "utf8")) as Omit<Fixture, "name">),
      name: file.replace(/\.json$/, ""),
    }));
}
