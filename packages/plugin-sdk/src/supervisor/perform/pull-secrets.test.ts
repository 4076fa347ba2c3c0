import type { RetrievedPodData } from "@interlink/protocol";
import type { Secret } from "kubernetes-types/core/v1.js";
import { expect, test } from "vitest";
import { pullSecretsOf } from "./pull-secrets.ts";

function secret(name: string, config: string): Secret {
  const encoded = Buffer.from(config).toString("base64");
  return { metadata: { name }, data: { ".dockerconfigjson": encoded } };
}

function data(mounted: Secret[], pullSecrets?: Secret[]): RetrievedPodData {
  const imagePullSecrets = [{ name: "b" }, { name: "a" }, { name: "missing" }];
  return {
    pod: { spec: { imagePullSecrets, containers: [{ name: "c" }] } },
    container: [
      { name: "c", configMaps: [], projectedvolumemaps: [], secrets: mounted, emptyDirs: [] },
    ],
    ...(pullSecrets && { pullSecrets }),
  } as unknown as RetrievedPodData;
}

test.each([
  ["as they come with the pod", data([], [secret("a", "A"), secret("b", "B")])],
  ["from what a container mounts", data([secret("a", "A"), secret("b", "B")])],
  ["from both", data([secret("a", "A")], [secret("b", "B")])],
])("pull secrets are taken %s, in the pod's order", (_title, from) => {
  expect(pullSecretsOf(from)).toEqual(["B", "A"]);
});
