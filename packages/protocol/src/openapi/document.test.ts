import { readFileSync } from "node:fs";
import { Compile } from "typebox/schema";
import { describe, expect, it } from "vitest";
import { loadFixtures } from "../testing/fixtures.ts";
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

describe("the documents accept what peers write", () => {
  const components: Record<string, string> = {
    "create-request": "PodCreateRequest",
    "plugin-create": "RetrievedPodData",
    "create-answer": "CreateAnswer",
    "status-request": "StatusRequest",
    "status-answer": "StatusAnswer",
    "log-request": "LogRequest",
    "delete-request": "Pod",
    capabilities: "Capabilities",
    "stream-line": "StatusStreamRecord",
  };
  const { schemas } = openApiDocument("interlink")["components"] as { schemas: object };
  const others = openApiDocument("plugin")["components"] as { schemas: object };
  const all = { components: { schemas: { ...schemas, ...others.schemas } } };
  const written = loadFixtures().filter(({ kind, written }) => written && components[kind]);
  // Other letter case, lists of one and `null` for an object are read too, but are nobody's to write.
  const tolerated = loadFixtures().filter(({ name }) =>
    /number|running|nil|null-|status-answer-null/.test(name),
  );
  const given = [...written, ...tolerated.filter(({ kind }) => components[kind])];

  it.each(given.map((one) => [one.name, one] as const))("%s", (_, { kind, body }) => {
    const schema = Compile({ ...all, $ref: `#/components/schemas/${components[kind]}` });
    expect(schema.Errors(JSON.parse(body))).toEqual([true, []]);
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
      "get /attach",
      "get /capabilities",
      "get /exec",
      "get /getLogs",
      "get /port-forward",
      "get /stats",
      "get /status",
      "get /status/stream",
      "post /create",
      "post /pinglink",
      "post /update",
      "post /updateCache",
    ]);
    expect(paths("plugin")).toEqual([
      "get /attach",
      "get /capabilities",
      "get /exec",
      "get /getLogs",
      "get /port-forward",
      "get /stats",
      "get /status",
      "get /status/stream",
      "post /create",
      "post /delete",
      "post /update",
    ]);
  });
});
