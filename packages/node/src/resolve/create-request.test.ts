import type { Pod, Volume } from "kubernetes-types/core/v1.js";
import { describe, expect, test } from "vitest";
import { aPod, container } from "../testing/pods.ts";
import { buildCreateRequest } from "./create-request.ts";
import type { PodObjects } from "./pod-objects.ts";

const nothing: PodObjects = {
  configMaps: new Map(),
  secrets: new Map(),
  services: [],
  tokens: new Map(),
};
const build = (
  pod: Pod,
  objects: Partial<PodObjects> = {},
  { pullSecrets }: { pullSecrets: boolean } = { pullSecrets: false },
) =>
  buildCreateRequest({
    pod,
    objects: { ...nothing, ...objects },
    addresses: { podIPs: [], hostIPs: [] },
    leaveAddresses: false,
    ephemeralContainers: true,
    pullSecrets,
    allocatable: {},
    jobscriptURL: "",
    now: new Date("2026-01-01T00:00:00.500Z"),
  });
const withVolume = (volume: Omit<Volume, "name">) => aPod({ volumes: [{ name: "v", ...volume }] });

describe("buildCreateRequest", () => {
  test("sends the pod as existing peers expect it", () => {
    const pod = aPod(
      { initContainers: [container("i")] },
      { metadata: { managedFields: [{ manager: "kubectl" }], resourceVersion: "7" } },
    );
    const result = build(pod);
    expect(result).toEqual({
      request: {
        pod: {
          metadata: { name: "p", namespace: "default", uid: "uid-1", resourceVersion: "7" },
          spec: pod.spec,
          status: {
            phase: "Pending",
            hostIP: "127.0.0.1",
            podIP: "127.0.0.1",
            startTime: "2026-01-01T00:00:00Z",
            conditions: [
              {
                type: "Initialized",
                status: "False",
                lastProbeTime: null,
                lastTransitionTime: null,
              },
              { type: "Ready", status: "False", lastProbeTime: null, lastTransitionTime: null },
              {
                type: "PodScheduled",
                status: "True",
                lastProbeTime: null,
                lastTransitionTime: null,
              },
            ],
          },
        },
        configmaps: [],
        secrets: [],
        projectedvolumesmaps: [],
        jobscriptURL: "",
      },
    });
  });

  test("replaces env and envFrom by the resolved list and leaves command and args raw", () => {
    const pod = aPod({
      containers: [
        container("main", {
          command: ["sh", "-c", "echo $(A)"],
          envFrom: [{ configMapRef: { name: "cm" } }],
        }),
      ],
    });
    const result = build(pod, { configMaps: new Map([["cm", { data: { A: "1" } }]]) });
    expect("request" in result && result.request.pod.spec?.containers[0]).toEqual({
      name: "main",
      image: "busybox",
      command: ["sh", "-c", "echo $(A)"],
      env: [{ name: "A", value: "1" }],
    });
  });

  test("names every container that cannot be configured", () => {
    const broken = { envFrom: [{ secretRef: { name: "x" } }] };
    const pod = aPod({
      initContainers: [container("i", broken)],
      containers: [container("c", broken)],
    });
    expect(build(pod)).toEqual({
      volumes: [],
      containers: [
        { container: "i", init: true, message: 'secret "x" not found', never: false },
        { container: "c", init: false, message: 'secret "x" not found', never: false },
      ],
    });
  });

  test("sends full objects for configMap and secret volumes, without kind", () => {
    const pod = aPod({
      volumes: [
        { name: "c", configMap: { name: "cm" } },
        { name: "s", secret: { secretName: "sec" } },
      ],
    });
    const result = build(pod, {
      configMaps: new Map([
        ["cm", { kind: "ConfigMap", apiVersion: "v1", metadata: { name: "cm" }, data: { a: "1" } }],
      ]),
      secrets: new Map([
        ["sec", { kind: "Secret", metadata: { name: "sec" }, data: { b: "Mg==" } }],
      ]),
    });
    expect(result).toMatchObject({
      request: {
        configmaps: [{ metadata: { name: "cm" }, data: { a: "1" } }],
        secrets: [{ metadata: { name: "sec" }, data: { b: "Mg==" } }],
      },
    });
    expect("request" in result && result.request.configmaps[0]).not.toHaveProperty("kind");
  });

  test("materialises every source of a projected volume, a later path winning", () => {
    const pod = withVolume({
      projected: {
        sources: [
          { serviceAccountToken: { path: "token" } },
          { configMap: { name: "cm", items: [{ key: "a", path: "dir/a" }] } },
          { secret: { name: "sec" } },
          {
            downwardAPI: { items: [{ path: "ns", fieldRef: { fieldPath: "metadata.namespace" } }] },
          },
          { configMap: { name: "cm", items: [{ key: "a", path: "text" }] } },
          { clusterTrustBundle: { path: "ca", optional: true } },
        ],
      },
    });
    const result = build(pod, {
      configMaps: new Map([["cm", { data: { a: "1", unused: "2" } }]]),
      secrets: new Map([["sec", { data: { text: "dA==", bin: "/w==" } }]]),
      tokens: new Map([["v/0", { token: "jwt" }]]),
    });
    expect("request" in result && result.request.projectedvolumesmaps).toEqual([
      {
        metadata: { name: "v" },
        data: { token: "jwt", "dir/a": "1", text: "1", ns: "default" },
        binaryData: { bin: "/w==" },
      },
    ]);
  });

  test("presents downwardAPI volumes as projected, with their mode and content", () => {
    const items = [{ path: "name", fieldRef: { fieldPath: "metadata.name" } }];
    const result = build(withVolume({ downwardAPI: { defaultMode: 0o400, items } }));
    expect(result).toMatchObject({
      request: {
        pod: {
          spec: {
            volumes: [
              {
                name: "v",
                projected: { defaultMode: 0o400, sources: [{ downwardAPI: { items } }] },
              },
            ],
          },
        },
        projectedvolumesmaps: [{ metadata: { name: "v" }, data: { name: "p" } }],
      },
    });
  });

  test.each<[string, Omit<Volume, "name">, string]>([
    ["configMap", { configMap: { name: "x" } }, 'configmap "x" not found'],
    ["secret", { secret: { secretName: "x" } }, 'secret "x" not found'],
    [
      "key of a configMap",
      { configMap: { name: "cm", items: [{ key: "k", path: "p" }] } },
      "configmap references non-existent config key: k",
    ],
    [
      "key of a secret",
      { secret: { secretName: "sec", items: [{ key: "k", path: "p" }] } },
      "references non-existent secret key: k",
    ],
    [
      "projected configMap",
      { projected: { sources: [{ configMap: { name: "x" } }] } },
      'configmap "x" not found',
    ],
    [
      "token",
      { projected: { sources: [{ serviceAccountToken: { path: "t" } }] } },
      "failed to fetch token: forbidden",
    ],
  ])("tells a missing %s in the kubelet's words", (_, volume, problem) =>
    expect(
      build(withVolume(volume), {
        configMaps: new Map([["cm", {}]]),
        secrets: new Map([["sec", {}]]),
        tokens: new Map([["v/0", { error: "forbidden" }]]),
      }),
    ).toEqual({
      volumes: [
        {
          volume: "v",
          message: `MountVolume.SetUp failed for volume "v" : ${problem}`,
          never: false,
        },
      ],
      containers: [],
    }),
  );

  test("knows what waiting does not help against", () => {
    const sources = [{ clusterTrustBundle: { path: "ca" } }];
    expect(build(withVolume({ projected: { sources } }))).toEqual({
      volumes: [
        {
          volume: "v",
          message:
            'volume "v" is projected from clusterTrustBundle, which this node does not support; use secret, configMap, downwardAPI or serviceAccountToken sources',
          never: true,
        },
      ],
      containers: [],
    });
    const optional = [{ clusterTrustBundle: { path: "ca", optional: true } }];
    expect(build(withVolume({ projected: { sources: optional } }))).toHaveProperty("request");
    const env = [{ name: "A", valueFrom: { fileKeyRef: {} } as never }];
    expect(build(aPod({ containers: [container("main", { env })] }))).toMatchObject({
      containers: [{ container: "main", never: true }],
    });
  });

  test("takes pull secrets along where they are wanted, those that exist, and none twice", () => {
    const secret = (name: string) => ({ metadata: { name }, data: {} });
    const pod = aPod({
      imagePullSecrets: [{ name: "pull" }, { name: "mounted" }, { name: "missing" }],
      volumes: [{ name: "v", secret: { secretName: "mounted" } }],
    });
    const secrets = new Map(["pull", "mounted"].map((name) => [name, secret(name)]));
    const sent = (pullSecrets: boolean) => {
      const result = build(pod, { secrets }, { pullSecrets });
      return "request" in result ? result.request.secrets.map((one) => one.metadata?.name) : [];
    };
    expect(sent(true)).toEqual(["mounted", "pull"]);
    expect(sent(false)).toEqual(["mounted"]);
  });

  test("tells the address of the node, which a site need not know", () => {
    const result = buildCreateRequest({
      pod: aPod(),
      objects: nothing,
      addresses: { podIPs: ["10.0.0.1"], hostIPs: ["192.0.2.1"] },
      ephemeralContainers: true,
      leaveAddresses: true,
      pullSecrets: false,
      allocatable: {},
      jobscriptURL: "",
      now: new Date(0),
    });
    expect("request" in result && result.request.pod.status).toMatchObject({
      hostIP: "192.0.2.1",
      podIP: "10.0.0.1",
    });
  });

  test("for a pod that runs, keeps back only the environment that cannot be made", () => {
    const envFrom = [{ configMapRef: { name: "x" } }];
    const env = [{ name: "A", value: "1" }];
    const pod = aPod({
      containers: [container("main", { env, envFrom }), container("other", { env })],
    });
    const result = buildCreateRequest({
      pod,
      objects: nothing,
      addresses: { podIPs: [], hostIPs: [] },
      ephemeralContainers: false,
      leaveAddresses: false,
      pullSecrets: false,
      allocatable: {},
      jobscriptURL: "",
      now: new Date(0),
      keepUnresolved: true,
    });
    expect("request" in result && result.request.pod.spec?.containers).toEqual([
      container("main", { envFrom }),
      container("other", { env }),
    ]);
  });

  test.each([true, false])("tells a site of ephemeral containers if it runs them: %s", (runs) => {
    const debug = { name: "debug", image: "tools" };
    const result = buildCreateRequest({
      pod: aPod({
        ephemeralContainers: [
          { ...debug, env: [{ name: "A", value: "$(B)" }], targetContainerName: "main" },
          { ...debug, name: "waits", envFrom: [{ secretRef: { name: "later" } }] },
        ],
      }),
      objects: nothing,
      addresses: { podIPs: [], hostIPs: [] },
      ephemeralContainers: runs,
      leaveAddresses: false,
      leaveFiles: false,
      pullSecrets: false,
      allocatable: {},
      jobscriptURL: "",
      now: new Date(0),
    });
    const sent = "request" in result && result.request.pod.spec?.ephemeralContainers;
    expect(sent).toEqual(
      runs
        ? [
            { ...debug, targetContainerName: "main", env: [{ name: "A", value: "$(B)" }] },
            // It waits for its Secret alone.
            { ...debug, name: "waits", envFrom: [{ secretRef: { name: "later" } }] },
          ]
        : undefined,
    );
  });

  test("goes on without optional objects and passes other volumes through", () => {
    const volumes: Volume[] = [
      { name: "a", configMap: { name: "x", optional: true } },
      { name: "b", secret: { secretName: "x", optional: true } },
      { name: "c", projected: { sources: [{ secret: { name: "x", optional: true } }] } },
      { name: "d", emptyDir: {} },
      { name: "e", persistentVolumeClaim: { claimName: "pvc" } },
    ];
    expect(build(aPod({ volumes }))).toMatchObject({
      request: {
        pod: { spec: { volumes } },
        configmaps: [],
        secrets: [],
        projectedvolumesmaps: [{ metadata: { name: "c" }, data: {} }],
      },
    });
  });
});
