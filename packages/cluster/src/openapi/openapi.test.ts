import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ApiError } from "../api/api-error.ts";
import type { JsonObject } from "../api/object.ts";
import { definitions } from "../resources/definitions.ts";
import { parseDeclarations } from "./declarations.ts";
import { Decoder } from "./decode.ts";
import { OpenApi } from "./document.ts";
import { Schemas } from "./schemas.ts";

const schemas = Schemas.load();
const pod = { group: "", version: "v1", kind: "Pod" };

function decode(body: JsonObject, mode = "Strict"): { object: JsonObject; warnings: string[] } {
  const warnings: string[] = [];
  const query = new URLSearchParams({ fieldValidation: mode });
  const request = { query, warn: (text: string) => warnings.push(text) };
  const object = new Decoder(schemas).decode(pod, body, request);
  return { object: object as unknown as JsonObject, warnings };
}

function refused(body: JsonObject): string {
  try {
    decode(body);
  } catch (error) {
    if (error instanceof ApiError && error.code === 400) return error.message;
    throw error;
  }
  return "accepted";
}

describe("type declarations", () => {
  it("are read with their comments, imports, lists and maps", () => {
    const text = `import { Time } from "../meta/v1";
/** A thing. */
export interface Thing {
    /**
     * When.
     * And how.
     */
    at?: Time;
    /** Names. */
    names: Array<string>;
    /** Labels. */
    labels?: {
        [name: string]: string;
    };
}
`;
    const [thing] = parseDeclarations("core/v1", text);
    expect(thing).toMatchObject({ id: "core/v1:Thing", description: "A thing." });
    expect(thing?.properties.get("at")).toEqual({
      description: "When.\nAnd how.",
      required: false,
      type: { kind: "named", name: "meta/v1:Time" },
    });
    expect(thing?.properties.get("names")).toMatchObject({
      required: true,
      type: { kind: "list", of: { kind: "string" } },
    });
    expect(thing?.properties.get("labels")?.type).toEqual({ kind: "map", of: { kind: "string" } });
  });

  it("cover every kind that is served, and fields newer than they are", () => {
    for (const { group, kind } of definitions) expect(schemas.idOf(group, kind)).toBeDefined();
    expect(schemas.get("core/v1:PodStatus")?.properties.has("observedGeneration")).toBe(true);
    expect(schemas.get("core/v1:NodeStatus")?.properties.has("declaredFeatures")).toBe(true);
  });
});

describe("decoding", () => {
  it.each<[string, JsonObject, string]>([
    [
      "a typo",
      { spec: { containers: [{ name: "a", imagee: "b" }] } },
      'Pod in version "v1" cannot be handled as a Pod: strict decoding error: unknown field "spec.containers[0].imagee"',
    ],
    [
      "a value of another type",
      { spec: { containers: [{ name: 1 }] } },
      'Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal number into Go struct field Container.spec.containers.name of type string',
    ],
    [
      "another kind",
      { kind: "Service" },
      'Service in version "v1" cannot be handled as a Pod: the kind in the data does not match',
    ],
    [
      "another version",
      { apiVersion: "v2" },
      "the API version in the data (v2) does not match the expected API version (v1)",
    ],
    [
      "a bad quantity",
      { spec: { containers: [{ resources: { limits: { cpu: "lots" } } }] } },
      "quantities must match the regular expression",
    ],
  ])("refuses %s", (_name, body, message) => {
    expect(refused(body)).toContain(message);
  });

  it("drops unknown fields with a warning, or in silence", () => {
    const body = (): JsonObject => ({ spec: { containers: [], typo: 1 } });
    expect(decode(body(), "Warn")).toMatchObject({ warnings: ['unknown field "spec.typo"'] });
    expect(decode(body(), "Ignore").warnings).toEqual([]);
    expect(decode(body(), "Ignore").object.spec).toEqual({ containers: [] });
  });

  it("makes quantities canonical, takes numbers for them, and drops nulls", () => {
    const resources = { limits: { cpu: 0.5, memory: "1024Mi" } };
    const { object } = decode({ spec: { containers: [{ name: "a", resources }], nodeName: null } });
    expect(object.spec).toEqual({
      containers: [{ name: "a", resources: { limits: { cpu: "500m", memory: "1Gi" } } }],
    });
  });

  it("answers any JSON with an object or a 400", () => {
    const value = fc.jsonValue({ maxDepth: 4 });
    const spec = fc.dictionary(
      fc.constantFrom("containers", "volumes", "nodeName", "tolerations", "x"),
      value,
    );
    fc.assert(
      fc.property(fc.record({ spec, metadata: value }, { requiredKeys: [] }), (body) => {
        try {
          decode(JSON.parse(JSON.stringify(body)) as JsonObject, "Ignore");
        } catch (error) {
          expect(error).toBeInstanceOf(ApiError);
          expect((error as ApiError).code).toBe(400);
        }
      }),
    );
  });
});

describe("OpenAPI v3", () => {
  const openApi = new OpenApi(schemas, definitions, []);
  it("has a document for each group, in which every reference leads somewhere", () => {
    const { paths } = openApi.index() as { paths: Record<string, unknown> };
    expect(Object.keys(paths)).toContain("apis/batch/v1");
    for (const prefix of Object.keys(paths)) {
      const text = openApi.document(prefix) ?? "";
      const { components } = JSON.parse(text) as { components: { schemas: object } };
      const names = new Set(Object.keys(components.schemas));
      for (const [, name] of text.matchAll(/#\/components\/schemas\/([\w.]+)/g)) {
        expect(names).toContain(name);
      }
    }
    expect(openApi.document("apis/nothing/v1")).toBeUndefined();
  });

  it("tells kubectl how lists are merged", () => {
    const { components } = JSON.parse(openApi.document("api/v1") ?? "") as {
      components: { schemas: Record<string, { properties: Record<string, object> }> };
    };
    const spec = components.schemas["io.k8s.api.core.v1.PodSpec"];
    expect(spec?.properties.containers).toMatchObject({
      "x-kubernetes-patch-merge-key": "name",
      "x-kubernetes-patch-strategy": "merge",
    });
  });
});
