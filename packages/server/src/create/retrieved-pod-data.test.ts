import { type PodCreateRequest, readCreateRequest } from "@interlink/protocol";
import { describe, expect, it } from "vitest";
import { fixture } from "../testing/go-caller.ts";
import { retrievedPodData } from "./retrieved-pod-data.ts";

const configMap = (name: string) => ({ metadata: { name }, data: { k: "v" } });
const mount = (name: string) => ({ name, mountPath: `/${name}` });

function request(change: {
  mounts?: string[];
  volume?: object;
  lists?: Partial<PodCreateRequest>;
}): PodCreateRequest {
  return readCreateRequest({
    pod: {
      metadata: { name: "p", namespace: "d", uid: "u" },
      spec: {
        volumes: [{ name: "v", ...change.volume }],
        containers: [{ name: "c", volumeMounts: (change.mounts ?? ["v"]).map(mount) }],
      },
    },
    ...change.lists,
  });
}

describe("retrievedPodData", () => {
  it("makes of a Go request what a Go API server makes of it", () => {
    const made = retrievedPodData(readCreateRequest(fixture("create-request").reads));
    expect(made).toEqual(fixture("plugin-create-volumes").reads);
  });

  it("lists init containers first, then containers, each with only what it mounts", () => {
    const made = retrievedPodData(
      readCreateRequest({
        pod: {
          metadata: { name: "p", namespace: "d", uid: "u" },
          spec: {
            volumes: [
              { name: "one", configMap: { name: "a" } },
              { name: "two", secret: { secretName: "s" } },
              { name: "three", downwardAPI: {} },
              { name: "scratch", emptyDir: {} },
            ],
            containers: [
              { name: "main", volumeMounts: ["two", "three", "scratch"].map(mount) },
              { name: "idle" },
            ],
            initContainers: [{ name: "init", volumeMounts: [mount("one")] }],
          },
        },
        configmaps: [configMap("other"), configMap("a")],
        secrets: [{ metadata: { name: "s" } }],
        projectedvolumesmaps: [configMap("three")],
      }),
    );
    const names = made.container.map((container) => ({
      name: container.name,
      configMaps: container.configMaps.map(({ metadata }) => metadata?.name),
      secrets: container.secrets.map(({ metadata }) => metadata?.name),
      projected: container.projectedvolumemaps.map(({ metadata }) => metadata?.name),
    }));
    expect(names).toEqual([
      { name: "init", configMaps: ["a"], secrets: [], projected: [] },
      { name: "main", configMaps: [], secrets: ["s"], projected: ["three"] },
      { name: "idle", configMaps: [], secrets: [], projected: [] },
    ]);
  });

  it("lists an object once that a container mounts twice, or that was sent twice", () => {
    const made = retrievedPodData(
      request({
        mounts: ["v", "v"],
        volume: { configMap: { name: "a" } },
        lists: { configmaps: [configMap("a"), configMap("a")] },
      }),
    );
    expect(made.container[0]?.configMaps).toHaveLength(1);
  });

  it.each([
    ["ConfigMap a", { volume: { configMap: { name: "a" } } }],
    ["Secret s", { volume: { secret: { secretName: "s" } } }],
    [
      "projected content",
      { volume: { projected: {} }, lists: { projectedvolumesmaps: [configMap("other")] } },
    ],
    ["no such volume", { mounts: ["w"] }],
  ])("refuses a pod whose %s is missing, and says who mounts it", (what, change) => {
    expect(() => retrievedPodData(request(change))).toThrow(
      expect.objectContaining({
        code: "invalid",
        message: expect.stringMatching(
          new RegExp(`^container c mounts volume [vw], but .*${what}`),
        ),
      }),
    );
  });

  it.each([
    ["an optional ConfigMap", { volume: { configMap: { name: "a", optional: true } } }],
    ["an optional Secret", { volume: { secret: { secretName: "s", optional: true } } }],
    ["projected content when the caller sends none at all", { volume: { projected: {} } }],
    ["an object that nobody mounts", { mounts: [], volume: { configMap: { name: "a" } } }],
  ])("accepts a pod without %s", (_, change) => {
    expect(retrievedPodData(request(change)).container[0]).toEqual({
      name: "c",
      configMaps: [],
      projectedvolumemaps: [],
      secrets: [],
      emptyDirs: [],
    });
  });
});
