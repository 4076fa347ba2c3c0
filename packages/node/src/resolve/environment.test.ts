import type { Container, EnvVarSource, Pod, Service } from "kubernetes-types/core/v1.js";
import { describe, expect, test } from "vitest";
import { aPod, container } from "../testing/pods.ts";
import { type EnvironmentInput, resolveEnvironment } from "./environment.ts";
import type { PodObjects } from "./pod-objects.ts";

const base64 = (text: string) => Buffer.from(text).toString("base64");
const objects: PodObjects = {
  configMaps: new Map([["cm", { data: { A: "cm-a", B: "cm-b" }, binaryData: { BIN: "AA==" } }]]),
  secrets: new Map([["s", { data: { B: base64("s-b"), pass: base64("$(A)") } }]]),
  services: [],
  tokens: new Map(),
};
const resolve = (over: Partial<Container>, input: Partial<EnvironmentInput> = {}, pod?: Pod) => {
  const one = container("main", over);
  return resolveEnvironment({
    pod: pod ?? aPod({ containers: [one] }),
    container: one,
    objects,
    addresses: { podIPs: ["127.0.0.1"], hostIPs: ["192.0.2.1"] },
    leaveAddresses: false,
    allocatable: {},
    ...input,
  });
};
const names = (result: ReturnType<typeof resolve>) =>
  "env" in result ? Object.fromEntries(result.env.map(({ name, value }) => [name, value])) : result;

describe("resolveEnvironment", () => {
  test("env wins over envFrom, a later envFrom over an earlier, prefixes are put before keys", () => {
    expect(
      names(
        resolve({
          envFrom: [
            { configMapRef: { name: "cm" } },
            { secretRef: { name: "s" } },
            { prefix: "P_", configMapRef: { name: "cm" } },
          ],
          env: [{ name: "A", value: "mine" }],
        }),
      ),
    ).toEqual({ A: "mine", B: "s-b", pass: "$(A)", P_A: "cm-a", P_B: "cm-b" });
  });

  test("keeps declaration order and lets a later duplicate win", () => {
    expect(
      resolve({
        env: [
          { name: "Z", value: "1" },
          { name: "A", value: "2" },
          { name: "Z", value: "3" },
        ],
      }),
    ).toEqual({
      env: [
        { name: "Z", value: "3" },
        { name: "A", value: "2" },
      ],
    });
  });

  test("expands references to what comes earlier, once, and not in values from elsewhere", () => {
    expect(
      names(
        resolve({
          env: [
            { name: "LATER", value: "$(PASS)" },
            { name: "PASS", valueFrom: { secretKeyRef: { name: "s", key: "pass" } } },
            { name: "URL", value: "x://$(PASS)/$$(PASS)" },
          ],
        }),
      ),
    ).toEqual({ LATER: "$(PASS)", PASS: "$(A)", URL: "x://$(A)/$(PASS)" });
  });

  test("an empty value gives way to valueFrom, an empty variable stays", () => {
    expect(
      names(
        resolve({
          env: [
            { name: "A", value: "", valueFrom: { configMapKeyRef: { name: "cm", key: "A" } } },
            { name: "EMPTY" },
          ],
        }),
      ),
    ).toEqual({ A: "cm-a", EMPTY: "" });
  });

  test.each<[string, Partial<Container>, string]>([
    [
      "configMap of envFrom",
      { envFrom: [{ configMapRef: { name: "x" } }] },
      'configmap "x" not found',
    ],
    ["secret of envFrom", { envFrom: [{ secretRef: { name: "x" } }] }, 'secret "x" not found'],
    [
      "configMap of a key",
      { env: [{ name: "A", valueFrom: { configMapKeyRef: { name: "x", key: "k" } } }] },
      'configmap "x" not found',
    ],
    [
      "key of a configMap",
      { env: [{ name: "A", valueFrom: { configMapKeyRef: { name: "cm", key: "k" } } }] },
      "couldn't find key k in ConfigMap default/cm",
    ],
    [
      "key of a secret",
      { env: [{ name: "A", valueFrom: { secretKeyRef: { name: "s", key: "k" } } }] },
      "couldn't find key k in Secret default/s",
    ],
    [
      "unknown field",
      { env: [{ name: "A", valueFrom: { fieldRef: { fieldPath: "spec.x" } } }] },
      "unsupported fieldPath: spec.x",
    ],
  ])("tells a missing %s in the kubelet's words", (_, over, problem) =>
    expect(resolve(over)).toMatchObject({ problem }),
  );

  test.each<[string, Partial<Container>, object | undefined]>([
    [
      "an object of envFrom",
      { envFrom: [{ secretRef: { name: "s" } }, { configMapRef: { name: "x" } }] },
      { envFrom: [{ configMapRef: { name: "x" } }] },
    ],
    [
      "a key",
      { env: [{ name: "A", valueFrom: { secretKeyRef: { name: "s", key: "k" } } }] },
      { env: [{ name: "A", valueFrom: { secretKeyRef: { name: "s", key: "k" } } }] },
    ],
    [
      "what no node of this kind has",
      { env: [{ name: "A", valueFrom: { fileKeyRef: {} } as never }] },
      undefined,
    ],
  ])(
    "says which reference leads nowhere, so that only it holds up a later start: %s",
    (_, over, missing) => {
      const result = resolve(over);
      expect("missing" in result ? result.missing : undefined).toEqual(missing);
      expect(result).toHaveProperty("problem");
    },
  );

  test("leaves out what is optional and missing", () => {
    const optional = true;
    expect(
      resolve({
        envFrom: [
          { configMapRef: { name: "x", optional } },
          { secretRef: { name: "x", optional } },
        ],
        env: [
          { name: "A", valueFrom: { configMapKeyRef: { name: "cm", key: "k", optional } } },
          { name: "B", valueFrom: { secretKeyRef: { name: "x", key: "k", optional } } },
        ],
      }),
    ).toEqual({ env: [] });
  });

  test("resolves addresses to what is known, or leaves them to a plugin that fills them in", () => {
    const over: Partial<Container> = {
      env: [
        { name: "IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
        { name: "URL", value: "http://$(IP):80" },
      ],
    };
    expect(names(resolve(over))).toEqual({ IP: "127.0.0.1", URL: "http://127.0.0.1:80" });
    expect(resolve(over, { leaveAddresses: true })).toEqual({
      env: [
        { name: "IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
        { name: "URL", value: "http://$(IP):80" },
      ],
    });
  });
});

test("leaves variables from files to a plugin that reads them, and refuses them elsewhere", () => {
  const valueFrom = { fileKeyRef: { volumeName: "v", path: "f", key: "K" } } as EnvVarSource;
  const env = [
    { name: "A", valueFrom },
    { name: "B", value: "x$(A)" },
  ];
  expect(resolve({ env }, { leaveFiles: true })).toEqual({ env });
  expect(resolve({ env })).toEqual({ problem: expect.stringContaining("fileKeyRef") as string });
});

describe("service variables", () => {
  const service = (namespace: string, name: string, clusterIP: string): Service => ({
    metadata: { name, namespace },
    spec: {
      clusterIP,
      ports: [
        { name: "http-web", port: 80 },
        { name: "dns", port: 53, protocol: "UDP" },
      ],
    },
  });
  const seen = [
    service("default", "my-db", "10.0.0.5"),
    service("default", "headless", "None"),
    {
      metadata: { name: "kubernetes", namespace: "default" },
      spec: { clusterIP: "fd00::1", ports: [{ name: "https", port: 443 }] },
    },
  ];

  test("follow the names of Docker links", () => {
    expect(
      names(
        resolve(
          { env: [{ name: "MY_DB_SERVICE_PORT", value: "$(MY_DB_PORT)" }] },
          { objects: { ...objects, services: seen } },
        ),
      ),
    ).toEqual({
      MY_DB_SERVICE_PORT: "tcp://10.0.0.5:80",
      MY_DB_SERVICE_HOST: "10.0.0.5",
      MY_DB_SERVICE_PORT_HTTP_WEB: "80",
      MY_DB_SERVICE_PORT_DNS: "53",
      MY_DB_PORT: "tcp://10.0.0.5:80",
      MY_DB_PORT_80_TCP: "tcp://10.0.0.5:80",
      MY_DB_PORT_80_TCP_PROTO: "tcp",
      MY_DB_PORT_80_TCP_PORT: "80",
      MY_DB_PORT_80_TCP_ADDR: "10.0.0.5",
      MY_DB_PORT_53_UDP: "udp://10.0.0.5:53",
      MY_DB_PORT_53_UDP_PROTO: "udp",
      MY_DB_PORT_53_UDP_PORT: "53",
      MY_DB_PORT_53_UDP_ADDR: "10.0.0.5",
      KUBERNETES_SERVICE_HOST: "fd00::1",
      KUBERNETES_SERVICE_PORT: "443",
      KUBERNETES_SERVICE_PORT_HTTPS: "443",
      KUBERNETES_PORT: "tcp://[fd00::1]:443",
      KUBERNETES_PORT_443_TCP: "tcp://[fd00::1]:443",
      KUBERNETES_PORT_443_TCP_PROTO: "tcp",
      KUBERNETES_PORT_443_TCP_PORT: "443",
      KUBERNETES_PORT_443_TCP_ADDR: "fd00::1",
    });
  });

  test("are only those of the cluster's API without service links", () => {
    const pod = aPod({ enableServiceLinks: false });
    const result = resolve({}, { objects: { ...objects, services: seen } }, pod);
    const all = "env" in result ? result.env.map(({ name }) => name) : [];
    expect(all.length).toBeGreaterThan(0);
    expect(all.every((name) => name.startsWith("KUBERNETES_"))).toBe(true);
  });
});
