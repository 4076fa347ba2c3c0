import type { Container, EnvVar, Pod } from "kubernetes-types/core/v1.js";
import { describe, expect, test } from "vitest";
import { defined } from "../testing/defined.ts";
import { resolveContainer } from "./resolve-container.ts";

const pod: Pod = {
  metadata: {
    name: "p",
    namespace: "ns",
    uid: "u-1",
    labels: { app: "web", "a/b.c": "x" },
    annotations: { note: "hi" },
  },
  spec: { nodeName: "vn", serviceAccountName: "sa", containers: [] },
};
const addresses = { podIPs: ["10.0.0.1", "fd00::1"], hostIP: "192.0.2.1" };

function resolve(container: Partial<Container>, where = addresses) {
  return resolveContainer(pod, { name: "c", ...container }, where);
}

function valueOf(valueFrom: EnvVar["valueFrom"], where = addresses): string | undefined {
  return resolve({ env: [{ name: "X", valueFrom: defined(valueFrom) }] }, where).env[0]?.value;
}

describe("environment", () => {
  test("keeps order, lets the later of two win, and does not expand values again", () => {
    const env = [
      { name: "A", value: "1" },
      { name: "B", value: "$(A) $$(A)" },
      { name: "EMPTY" },
      { name: "A", value: "2" },
    ];
    expect(resolve({ env }).env).toEqual([
      { name: "A", value: "2" },
      { name: "B", value: "$(A) $$(A)" },
      { name: "EMPTY", value: "" },
    ]);
  });

  test("takes variables from files as they were read, leaves out the rest, and fills in references to them", () => {
    const ofFile = (name: string) =>
      ({ name, valueFrom: { fileKeyRef: { volumeName: "v", path: "f", key: "k" } } }) as EnvVar;
    const first = ofFile("A");
    const env = [first, ofFile("NONE"), { name: "B", value: "$(A)/$(NONE)" }];
    const files = new Map([[first, "$(B)"]]);
    const found = resolveContainer(pod, { name: "c", env, args: ["$(A)"] }, addresses, files);
    expect(found).toEqual({
      env: [
        { name: "A", value: "$(B)" },
        { name: "B", value: "$(B)/$(NONE)" },
      ],
      args: ["$(B)"],
    });
  });

  test("fills in references to an address that the virtual node left, and to nothing else", () => {
    const env = [
      { name: "EARLY", value: "$(IP)" },
      { name: "IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
      { name: "URL", value: "http://$(IP):80/$(EARLY)" },
    ];
    expect(resolve({ env }).env.map(({ value }) => value)).toEqual([
      "$(IP)",
      "10.0.0.1",
      "http://10.0.0.1:80/$(EARLY)",
    ]);
  });

  test.each([
    ["status.podIP", "10.0.0.1"],
    ["status.podIPs", "10.0.0.1,fd00::1"],
    ["status.hostIP", "192.0.2.1"],
    ["status.hostIPs", "192.0.2.1"],
    ["metadata.name", "p"],
    ["metadata.namespace", "ns"],
    ["metadata.uid", "u-1"],
    ["metadata.labels['app']", "web"],
    ["metadata.labels['a/b.c']", "x"],
    ["metadata.labels['none']", ""],
    ["metadata.annotations['note']", "hi"],
    ["spec.nodeName", "vn"],
    ["spec.serviceAccountName", "sa"],
  ])("fills in fieldRef %s", (fieldPath, expected) => {
    expect(valueOf({ fieldRef: { fieldPath } })).toBe(expected);
  });

  test("a pod without an address of its own has its host's", () => {
    const where = { podIPs: [], hostIP: "192.0.2.1" };
    expect(valueOf({ fieldRef: { fieldPath: "status.podIP" } }, where)).toBe("192.0.2.1");
    expect(valueOf({ fieldRef: { fieldPath: "status.podIPs" } }, where)).toBe("192.0.2.1");
  });

  test("fills in resourceFieldRef, rounded up to its divisor", () => {
    const resources = { limits: { cpu: "1500m", memory: "1Gi" }, requests: { cpu: "250m" } };
    const env = [
      { name: "CPU", valueFrom: { resourceFieldRef: { resource: "limits.cpu" } } },
      {
        name: "MILLI",
        valueFrom: { resourceFieldRef: { resource: "requests.cpu", divisor: "1m" } },
      },
      {
        name: "MI",
        valueFrom: { resourceFieldRef: { resource: "limits.memory", divisor: "1Mi" } },
      },
      { name: "NONE", valueFrom: { resourceFieldRef: { resource: "requests.memory" } } },
    ];
    const values = resolve({ env, resources }).env.map(({ value }) => value);
    expect(values).toEqual(["2", "250", "1024", "0"]);
  });

  test("an optional reference that leads nowhere leaves the variable out", () => {
    const valueFrom = { configMapKeyRef: { name: "x", key: "k", optional: true } };
    expect(resolve({ env: [{ name: "X", valueFrom }] }).env).toEqual([]);
  });

  test.each<[string, Partial<Container>, string]>([
    [
      "a ConfigMap key left unresolved",
      { env: [{ name: "X", valueFrom: { configMapKeyRef: { name: "cm", key: "k" } } }] },
      'configmap "cm" not found',
    ],
    [
      "a Secret key left unresolved",
      { env: [{ name: "X", valueFrom: { secretKeyRef: { name: "s", key: "k" } } }] },
      'secret "s" not found',
    ],
    [
      "an envFrom left unresolved",
      { envFrom: [{ secretRef: { name: "s" } }] },
      'secret "s" not found',
    ],
    [
      "an unknown field",
      { env: [{ name: "X", valueFrom: { fieldRef: { fieldPath: "spec.x" } } }] },
      "unsupported fieldPath: spec.x",
    ],
    [
      "a limit that is not set",
      { env: [{ name: "X", valueFrom: { resourceFieldRef: { resource: "limits.cpu" } } }] },
      "Set resources.limits",
    ],
    ["a name with an equals sign", { env: [{ name: "A=B", value: "" }] }, "cannot be set"],
    ["a value with a NUL", { env: [{ name: "A", value: "\0" }] }, "cannot be set"],
    ["an empty name", { env: [{ name: "", value: "" }] }, "cannot be set"],
  ])("%s is rejected", (_name, container, words) => {
    expect(() => resolve(container)).toThrow(words);
  });
});

describe("command and args", () => {
  test("see the whole final environment, with addresses filled in", () => {
    const resolved = resolve({
      command: ["/bin/sh", "-c", "echo $(IP) $(LATE) $NAME $$(IP)"],
      args: ["$(NONE)", "$(A)"],
      env: [
        { name: "A", value: "old" },
        { name: "IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
        { name: "LATE", value: "$(A)" },
        { name: "A", value: "new" },
      ],
    });
    expect(resolved.command).toEqual(["/bin/sh", "-c", "echo 10.0.0.1 $(A) $NAME $(IP)"]);
    expect(resolved.args).toEqual(["$(NONE)", "new"]);
  });

  test("that are empty leave the image's own", () => {
    expect(resolve({ command: [], args: [] })).toEqual({ env: [] });
  });
});
