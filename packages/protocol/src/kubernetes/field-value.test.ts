import type { Pod } from "kubernetes-types/core/v1.js";
import { describe, expect, test } from "vitest";
import { fieldValue } from "./field-value.ts";
import { goQuote } from "./go-quote.ts";

describe("fieldValue", () => {
  const pod: Pod = {
    metadata: {
      name: "p",
      namespace: "default",
      uid: "uid-1",
      labels: { b: "2", "example.com/a": 'say "hi"\n' },
      annotations: { note: "ü\t\u0001" },
    },
    spec: { nodeName: "vn", serviceAccountName: "sa", containers: [] },
  };
  const addresses = { podIPs: ["10.0.0.1", "fd00::1"], hostIPs: ["192.0.2.1"] };
  test.each([
    ["metadata.name", "p"],
    ["metadata.namespace", "default"],
    ["metadata.uid", "uid-1"],
    ["metadata.labels['b']", "2"],
    ["metadata.labels['missing']", ""],
    ["metadata.labels['constructor']", ""],
    ["metadata.annotations['note']", "ü\t\u0001"],
    ["metadata.labels", 'b="2"\nexample.com/a="say \\"hi\\"\\n"'],
    ["metadata.annotations", 'note="ü\\t\\x01"'],
    ["spec.nodeName", "vn"],
    ["spec.serviceAccountName", "sa"],
    ["status.podIP", "10.0.0.1"],
    ["status.podIPs", "10.0.0.1,fd00::1"],
    ["status.hostIP", "192.0.2.1"],
    ["status.hostIPs", "192.0.2.1"],
    ["spec.restartPolicy", undefined],
  ])("%s", (path, expected) => expect(fieldValue(pod, path, addresses)).toBe(expected));
});

describe("goQuote", () => {
  test.each([
    ["", '""'],
    ["a\\b", '"a\\\\b"'],
    ["\u0007\b\f\n\r\t\v", '"\\a\\b\\f\\n\\r\\t\\v"'],
    ["\u007f", '"\\x7f"'],
    ["日本 €", '"日本 €"'],
    ["\u00a0", '"\\u00a0"'],
    ["\u{e0001}", '"\\U000e0001"'],
  ])("%j", (text, quoted) => expect(goQuote(text)).toBe(quoted));
});
