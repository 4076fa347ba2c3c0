import { describe, expect, test } from "vitest";
import { aPod, container } from "../testing/pods.ts";
import { fieldValue } from "./field-ref.ts";
import { goQuote } from "./go-quote.ts";
import { resourceValue } from "./resource-ref.ts";

describe("fieldValue", () => {
  const pod = aPod(
    { serviceAccountName: "sa" },
    {
      metadata: {
        labels: { b: "2", "example.com/a": 'say "hi"\n' },
        annotations: { note: "ü\t\u0001" },
      },
    },
  );
  const addresses = { podIPs: ["10.0.0.1", "fd00::1"], hostIPs: ["192.0.2.1"] };
  test.each([
    ["metadata.name", "p"],
    ["metadata.namespace", "default"],
    ["metadata.uid", "uid-1"],
    ["metadata.labels['b']", "2"],
    ["metadata.labels['missing']", ""],
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

describe("resourceValue", () => {
  const pod = aPod({
    containers: [
      container("main", {
        resources: { limits: { cpu: "1500m", memory: "1Gi" }, requests: { memory: "64Mi" } },
      }),
      container("bare"),
    ],
  });
  const of = (containerName: string, resource: string, divisor?: string) =>
    resourceValue(
      pod,
      { containerName, resource, ...(divisor === undefined ? {} : { divisor }) },
      undefined,
      { cpu: "8", memory: "16Gi" },
    );
  test.each([
    ["main", "limits.cpu", undefined, "2"],
    ["main", "limits.cpu", "1m", "1500"],
    ["main", "limits.cpu", "0", "2"],
    ["main", "limits.memory", "1Mi", "1024"],
    ["main", "requests.memory", "1Ki", "65536"],
    ["main", "requests.cpu", "1m", "0"],
    ["bare", "limits.cpu", undefined, "8"],
    ["bare", "limits.memory", "1Gi", "16"],
    ["bare", "limits.ephemeral-storage", undefined, "0"],
  ])("%s %s / %s", (name, resource, divisor, value) =>
    expect(of(name, resource, divisor)).toEqual({ value }),
  );

  test("says which container or resource does not exist", () => {
    expect(of("nobody", "limits.cpu")).toEqual({ problem: "container nobody not found" });
    expect(of("main", "cpu")).toHaveProperty("problem");
  });
});
