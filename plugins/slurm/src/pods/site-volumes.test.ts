import { PluginError } from "@interlink/plugin-sdk";
import type { Pod, Volume } from "kubernetes-types/core/v1.js";
import { expect, it } from "vitest";
import { siteDirectory, withoutPodData, withReadOnlyMounts } from "./site-volumes.ts";

const site = {
  hostPaths: ["/data/", "/cvmfs"],
  claims: [
    { namespace: "physics", claim: "big", directory: "/big", readOnly: true },
    { namespace: "physics", directory: "/claims/{namespace}/{claim}" },
  ],
};
const host = (path: string): Volume => ({ name: "v", hostPath: { path } });
const claim = (claimName: string): Volume => ({ name: "v", persistentVolumeClaim: { claimName } });

it.each<[Volume, string, object | undefined]>([
  [host("/data/a"), "any", { path: "/data/a", readOnly: false }],
  [host("/cvmfs"), "any", { path: "/cvmfs", readOnly: false }],
  [claim("big"), "physics", { path: "/big", readOnly: true }],
  [claim("a"), "physics", { path: "/claims/physics/a", readOnly: false }],
  [{ name: "v", emptyDir: {} }, "any", undefined],
])("provides %j of %s", (volume, namespace, expected) => {
  expect(siteDirectory(volume, namespace, site)).toEqual(expected);
});

it.each<[Volume, string]>([
  [host("/etc"), "any"],
  [host("/database"), "any"],
  [host("/data/../etc"), "any"],
  [host("data"), "any"],
  [claim("a"), "chemistry"],
  [claim("../x"), "physics"],
])("refuses %j of %s", (volume, namespace) => {
  expect(() => siteDirectory(volume, namespace, site)).toThrow(PluginError);
});

const pod: Pod = {
  spec: {
    volumes: [
      { name: "kube-api-access-1", projected: { sources: [] } },
      { name: "data", hostPath: { path: "/data" } },
    ],
    containers: [
      {
        name: "main",
        volumeMounts: [
          { name: "kube-api-access-1", mountPath: "/token" },
          { name: "data", mountPath: "/data" },
        ],
      },
    ],
  },
};

it("mounts what is for reading only so", () => {
  const mounts = withReadOnlyMounts(pod, new Set(["data"])).spec?.containers[0]?.volumeMounts;
  expect(mounts).toEqual([
    { name: "kube-api-access-1", mountPath: "/token" },
    { name: "data", mountPath: "/data", readOnly: true },
  ]);
});

it("takes no pod data along where the site does not want that", () => {
  const { volumes, containers } = withoutPodData(pod).spec ?? {};
  expect(volumes?.map(({ name }) => name)).toEqual(["data"]);
  expect(containers?.[0]?.volumeMounts?.map(({ name }) => name)).toEqual(["data"]);
  const secret = { ...pod, spec: { containers: [], volumes: [{ name: "s", secret: {} }] } };
  expect(() => withoutPodData(secret)).toThrow("ExportPodData");
});
