import { createKubeClient, type KubeClient, loadKubeCredentials, paths } from "@interlink/kube";
import { eventually, FakeApiServer } from "@interlink/kube/testing";
import type { RemotePodStatus } from "@interlink/protocol";
import type { Pod } from "kubernetes-types/core/v1.js";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Orphans } from "./orphans.ts";
import type { PodContext } from "./pod-context.ts";

let api: FakeApiServer;
let client: KubeClient;
let orphans: Orphans;
let confirmed: string[];

beforeEach(async () => {
  api = await FakeApiServer.start();
  client = createKubeClient(await loadKubeCredentials({ kubeconfigYaml: api.kubeconfigYaml }));
  confirmed = [];
  const context = { client, nodeName: "vn", owner: "us", timing: { orphanAfterMs: 1 } };
  orphans = new Orphans(context as PodContext, (pod) => confirmed.push(pod.metadata?.name ?? ""));
  orphans.podsListed();
});
afterEach(async () => {
  orphans.close();
  await client.close();
  await api[Symbol.asyncDispose]();
});

const job = (name: string, UID = `uid-${name}`): RemotePodStatus =>
  ({ name, namespace: "default", UID, extension: { createdBy: "us" } }) as RemotePodStatus;
function put(name: string): void {
  const pod: Pod = {
    metadata: { name, namespace: "default" },
    spec: { nodeName: "vn", containers: [] },
  };
  api.put(paths.pods.named("default", name), pod);
}
const looks = () => api.requests.filter(({ path }) => path.endsWith("/pods"));

test("a job whose pod is not there, by two lists of this node's pods, is an orphan; pods are not asked for one by one", async () => {
  orphans.told(job("lost"));
  await eventually(() => confirmed.length === 1);
  expect(confirmed).toEqual(["lost"]);
  expect(looks().map(({ query }) => query.get("fieldSelector"))).toEqual(
    Array.from({ length: 2 }, () => "spec.nodeName=vn,metadata.name=lost"),
  );
  expect(api.requests).toHaveLength(2);
});

test("a refusal is no answer: the job is looked at again, and kept when its pod is there", async () => {
  put("kept");
  const uid = (api.object(paths.pods.named("default", "kept")) as { metadata: { uid: string } })
    .metadata.uid;
  api.inject(() => true, { kind: "status", code: 403, reason: "Forbidden" }, 3);
  orphans.told(job("kept", uid));
  await eventually(() => looks().length === 4);
  orphans.told(job("lost"));
  await eventually(() => confirmed.length === 1);
  expect(confirmed).toEqual(["lost"]);
});

test("a name that the site made up selects nothing else", async () => {
  orphans.told(job("a,metadata.name=b\\"));
  await eventually(() => looks().length > 0);
  expect(looks()[0]?.query.get("fieldSelector")).toBe(
    "spec.nodeName=vn,metadata.name=a\\,metadata.name\\=b\\\\",
  );
});
