import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { openApiDocument } from "./document.ts";

describe.each(["interlink", "plugin"] as const)("docs/openapi/%s.json", (face) => {
  const document = openApiDocument(face);

  it("is what the schemas say; after a change of schemas run: npm run openapi", () => {
    const file = new URL(`../../../../docs/openapi/${face}.json`, import.meta.url);
    const committed: unknown = JSON.parse(readFileSync(file, "utf8"));
    expect(committed, "run `npm run openapi` and commit the result").toEqual(
      JSON.parse(JSON.stringify(document)),
    );
  });

  it("refers only to schemas that it holds", () => {
    const { schemas } = document["components"] as { schemas: Record<string, unknown> };
    const names = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g)];
    expect(names.length).toBeGreaterThan(5);
    for (const [, name] of names) expect(schemas).toHaveProperty(name ?? "");
  });
});

describe("the two faces", () => {
  it("differ as the wire does", () => {
    const paths = (face: "interlink" | "plugin") =>
      Object.entries(openApiDocument(face)["paths"] as Record<string, object>)
        .flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method} ${path}`))
        .sort();
    expect(paths("interlink")).toEqual([
      "delete /delete",
      "get /capabilities",
      "get /getLogs",
      "get /status",
      "get /status/stream",
      "post /create",
      "post /pinglink",
      "post /updateCache",
    ]);
    expect(paths("plugin")).toEqual([
      "get /capabilities",
      "get /getLogs",
      "get /status",
      "get /status/stream",
      "post /create",
      "post /delete",
    ]);
  });
});
