import type { RetrievedPodData } from "@interlink/protocol";
import fc from "fast-check";
import type { ConfigMap, Secret, Volume, VolumeMount } from "kubernetes-types/core/v1.js";
import { describe, expect, test } from "vitest";
import { defined } from "../testing/defined.ts";
import { podData } from "../testing/pod-data.ts";
import { planVolumes } from "./plan-volumes.ts";

interface Objects {
  configMaps?: ConfigMap[];
  secrets?: Secret[];
  projected?: ConfigMap[];
}

function podWith(volume: Volume, objects: Objects = {}, mount?: VolumeMount): RetrievedPodData {
  const volumeMounts = [mount ?? { name: volume.name, mountPath: "/v" }];
  const data = podData("u-1", {
    volumes: [volume],
    containers: [{ name: "main", resources: { limits: { cpu: "2" } }, volumeMounts }],
  });
  data.pod.metadata = { ...data.pod.metadata, labels: { b: 'x"y', a: "1" } };
  const [container] = data.container;
  Object.assign(defined(container), {
    configMaps: objects.configMaps ?? [],
    secrets: objects.secrets ?? [],
    projectedvolumemaps: objects.projected ?? [],
  });
  return data;
}

/** `path mode content` of every planned file. */
function filesOf(volume: Volume, objects?: Objects): string[] {
  const [planned] = planVolumes(podWith(volume, objects));
  if (planned?.kind !== "files") throw new Error(`planned ${planned?.kind}`);
  return planned.files.map(
    ({ path, mode, content }) => `${path} ${mode.toString(8)} ${Buffer.from(content).toString()}`,
  );
}

const cm: ConfigMap = {
  metadata: { name: "cm" },
  data: { a: "1", b: "2" },
  binaryData: { bin: Buffer.from("bytes").toString("base64") },
};
const secret: Secret = {
  metadata: { name: "s" },
  data: { key: Buffer.from("hidden").toString("base64") },
};

describe("ConfigMap and Secret", () => {
  test.each<[string, Volume, string[]]>([
    [
      "all keys, text and binary, 0644",
      { name: "v", configMap: { name: "cm" } },
      ["a 644 1", "b 644 2", "bin 644 bytes"],
    ],
    [
      "only the items, under their paths and modes",
      {
        name: "v",
        configMap: {
          name: "cm",
          defaultMode: 0o400,
          items: [
            { key: "a", path: "x/y/a.txt", mode: 0o755 },
            { key: "bin", path: "bin" },
          ],
        },
      },
      ["x/y/a.txt 755 1", "bin 400 bytes"],
    ],
    [
      "a mode of 0",
      { name: "v", configMap: { name: "cm", defaultMode: 0, items: [{ key: "a", path: "a" }] } },
      ["a 0 1"],
    ],
    [
      "a missing key of an optional volume is left out",
      {
        name: "v",
        configMap: {
          name: "cm",
          optional: true,
          items: [
            { key: "none", path: "n" },
            { key: "a", path: "a" },
          ],
        },
      },
      ["a 644 1"],
    ],
    ["a missing optional ConfigMap", { name: "v", configMap: { name: "no", optional: true } }, []],
    ["a missing optional Secret", { name: "v", secret: { secretName: "no", optional: true } }, []],
    [
      "a Secret, decoded",
      { name: "v", secret: { secretName: "s", defaultMode: 0o400 } },
      ["key 400 hidden"],
    ],
    [
      "an object that was sent twice",
      { name: "v", secret: { secretName: "s", items: [{ key: "key", path: "./k//k" }] } },
      ["k/k 644 hidden"],
    ],
  ])("%s", (_name, volume, expected) => {
    expect(filesOf(volume, { configMaps: [cm, cm], secrets: [secret, secret] })).toEqual(expected);
  });

  test.each<[Volume, string]>([
    [{ name: "v", configMap: { name: "x" } }, 'configmap "x" not found'],
    [{ name: "v", secret: { secretName: "x" } }, 'secret "x" not found'],
    [
      { name: "v", configMap: { name: "cm", items: [{ key: "K", path: "k" }] } },
      "configmap references non-existent config key: K",
    ],
    [
      { name: "v", secret: { secretName: "s", items: [{ key: "K", path: "k" }] } },
      "references non-existent secret key: K",
    ],
    [
      {
        name: "v",
        configMap: {
          name: "cm",
          items: [
            { key: "a", path: "x" },
            { key: "b", path: "x/y" },
          ],
        },
      },
      "both as a file and as a directory",
    ],
  ])("%j is refused in the kubelet's words", (volume, words) => {
    expect(() => planVolumes(podWith(volume, { configMaps: [cm], secrets: [secret] }))).toThrow(
      words,
    );
  });

  test("a value that is not base64 is refused without being told", () => {
    const broken = { metadata: { name: "s" }, data: { key: "hunter2!" } };
    const plan = () =>
      planVolumes(podWith({ name: "v", secret: { secretName: "s" } }, { secrets: [broken] }));
    expect(plan).toThrow('secret "s" holds a value that is not base64');
    expect(plan).not.toThrow("hunter2");
  });

  test("what no container mounts is not planned and need not have come", () => {
    const volume = { name: "v", configMap: { name: "x" } };
    expect(planVolumes(podWith(volume, {}, { name: "other", mountPath: "/o" }))).toEqual([]);
  });
});

describe("projected and downwardAPI", () => {
  const source: Volume = {
    name: "v",
    projected: {
      defaultMode: 0o440,
      sources: [
        { configMap: { name: "cm", items: [{ key: "a", path: "conf/a", mode: 0o600 }] } },
        { secret: { name: "s", items: [{ key: "key", path: "key" }] } },
        {
          downwardAPI: { items: [{ path: "labels", fieldRef: { fieldPath: "metadata.labels" } }] },
        },
      ],
    },
  };

  test("the virtual node's files, with the modes of the pod's items", () => {
    const projected = {
      metadata: { name: "v" },
      data: { "conf/a": "1", key: "k", token: "t" },
      binaryData: { raw: "AP8=" },
    };
    const files = filesOf(source, { projected: [projected, projected] });
    expect(files.slice(0, 3)).toEqual(["conf/a 600 1", "key 440 k", "token 440 t"]);
    expect(files).toHaveLength(4);
  });

  test("from the sources in the pod when the virtual node did not resolve them", () => {
    expect(filesOf(source, { configMaps: [cm], secrets: [secret] })).toEqual([
      "conf/a 600 1",
      "key 440 hidden",
      'labels 440 a="1"\nb="x\\"y"',
    ]);
  });

  test("a downwardAPI volume that was not rewritten", () => {
    const items = [
      { path: "name", fieldRef: { fieldPath: "metadata.name" } },
      {
        path: "cpu",
        mode: 0o600,
        resourceFieldRef: { containerName: "main", resource: "limits.cpu" },
      },
    ];
    expect(filesOf({ name: "v", downwardAPI: { items } })).toEqual([
      "name 644 pod-u-1",
      "cpu 600 2",
    ]);
  });

  test("content that did not come is refused, naming the volume and the source", () => {
    const token: Volume = {
      name: "tok",
      projected: { sources: [{ serviceAccountToken: { path: "token" } }] },
    };
    expect(() => filesOf(token)).toThrow(/"tok".*serviceAccountToken/);
  });

  test("but the API access that Kubernetes adds to every pod is left out as far as it did not come", () => {
    const access: Volume = {
      name: "kube-api-access-x1",
      projected: {
        sources: [
          { serviceAccountToken: { path: "token" } },
          {
            downwardAPI: { items: [{ path: "ns", fieldRef: { fieldPath: "metadata.namespace" } }] },
          },
        ],
      },
    };
    expect(filesOf(access)).toEqual(["ns 644 default"]);
  });
});

describe("other kinds", () => {
  test.each<[Volume, object]>([
    [
      { name: "v", emptyDir: {} },
      { kind: "emptyDir", memory: false },
    ],
    [{ name: "v" }, { kind: "emptyDir", memory: false }],
    [
      { name: "v", emptyDir: { medium: "Memory", sizeLimit: "1Mi" } },
      { kind: "emptyDir", memory: true, sizeBytes: 1_048_576 },
    ],
    [
      { name: "v", emptyDir: { medium: "HugePages" } },
      { kind: "other", source: "emptyDir" },
    ],
    [
      { name: "v", hostPath: { path: "/etc" } },
      { kind: "other", source: "hostPath" },
    ],
    [
      { name: "v", persistentVolumeClaim: { claimName: "c" } },
      { kind: "other", source: "persistentVolumeClaim" },
    ],
  ])("%j", (volume, expected) => {
    expect(planVolumes(podWith(volume))).toMatchObject([expected]);
  });
});

test("for any names and paths, a plan holds only clean paths below the volume, or is refused", () => {
  const segment = fc.oneof(
    fc.constantFrom("..", ".", "", "a", "b", "..data", "...", "\0", "x".repeat(300), "~", "-"),
    fc.string({ maxLength: 5 }),
  );
  const path = fc.array(segment, { maxLength: 5 }).map((segments) => segments.join("/"));
  fc.assert(
    fc.property(path, path, fc.nat(0o7777), (key, itemPath, mode) => {
      const configMap = { metadata: { name: "cm" }, data: { [key]: "x", k: "y" } };
      for (const volume of [
        { name: "v", configMap: { name: "cm", defaultMode: mode } },
        { name: "v", configMap: { name: "cm", items: [{ key: "k", path: itemPath, mode }] } },
      ]) {
        let planned: ReturnType<typeof planVolumes>;
        try {
          planned = planVolumes(podWith(volume, { configMaps: [configMap] }));
        } catch (error) {
          expect(error).toMatchObject({ name: "PluginError", code: "rejected" });
          continue;
        }
        const files = planned.flatMap((one) => (one.kind === "files" ? one.files : []));
        for (const file of files) {
          expect(file.path).toMatch(/^(?!\.\.)[^\0]+$/s);
          for (const name of file.path.split("/")) expect(["", ".", ".."]).not.toContain(name);
          expect(file.mode & ~0o777).toBe(0);
        }
      }
    }),
  );
});
