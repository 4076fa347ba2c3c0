import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ApiError } from "../api/api-error.ts";
import type { JsonObject } from "../api/object.ts";
import { definitions } from "../resources/definitions.ts";
import { must } from "../testing/must.ts";
import { serverSideApply } from "./server-side-apply.ts";

const pod = must(definitions.find((item) => item.kind === "Pod"));

function apply(
  current: JsonObject,
  manager: string,
  wanted: JsonObject,
  force = false,
): JsonObject {
  const query = new URLSearchParams({ fieldManager: manager, force: String(force) });
  return serverSideApply(pod, wanted, query, "2026-01-02T03:04:05Z").patch(current);
}

const containers = (...list: object[]): JsonObject => ({
  spec: { containers: list as JsonObject[] },
});

describe("server-side apply", () => {
  it("removes what a manager no longer applies, down to single list elements", () => {
    const first = apply(
      { metadata: {} },
      "a",
      containers({ name: "x", image: "1", tty: true }, { name: "y", image: "2" }),
    );
    const second = apply(first, "a", containers({ name: "x", image: "1" }));
    expect(second.spec).toEqual({ containers: [{ name: "x", image: "1" }] });
  });

  it("leaves what others applied and what the server filled in", () => {
    const first = apply(
      { metadata: {}, spec: { dnsPolicy: "Default" } },
      "a",
      containers({ name: "x", image: "1" }),
    );
    const second = apply(first, "b", containers({ name: "y", image: "2" }));
    const third = apply(second, "a", { spec: {} });
    expect(third.spec).toEqual({ dnsPolicy: "Default", containers: [{ name: "y", image: "2" }] });
  });

  it("refuses a value that another manager applied otherwise, unless forced", () => {
    const first = apply({ metadata: {} }, "a", containers({ name: "x", image: "1" }));
    const change = containers({ name: "x", image: "2" });
    expect(() => apply(first, "b", change)).toThrow(
      'Apply failed with 1 conflict: conflict with "a": .spec.containers[name="x"].image',
    );
    const forced = apply(first, "b", change, true);
    expect(forced.spec).toEqual({ containers: [{ name: "x", image: "2" }] });
    expect(apply(forced, "b", containers({ name: "x", image: "3" })).spec).toEqual({
      containers: [{ name: "x", image: "3" }],
    });
  });

  it("survives any managedFields that a client wrote", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.boolean(), (fieldsV1, own) => {
        const entry = { manager: own ? "a" : "b", operation: "Apply", fieldsV1 };
        const current = JSON.parse(
          JSON.stringify({ metadata: { managedFields: [entry] } }),
        ) as JsonObject;
        try {
          apply(current, "a", containers({ name: "x", image: "1" }));
        } catch (error) {
          expect(error).toBeInstanceOf(ApiError);
        }
      }),
    );
  });
});
