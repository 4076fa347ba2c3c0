import { afterEach, expect, it } from "vitest";
import { fixture, send } from "./testing/go-caller.ts";
import { startSite, type TestSite } from "./testing/site.ts";

const body = fixture("create-request").body;
const sites: TestSite[] = [];
afterEach(async () => {
  for (const site of sites.splice(0)) await site[Symbol.asyncDispose]();
});

async function siteOffering(...features: string[]): Promise<TestSite> {
  const site = await startSite();
  sites.push(site);
  site.plugin.says(
    "/capabilities",
    JSON.stringify({ protocol: "interlink", version: "1.0", agent: "p", features }),
  );
  return site;
}

it("hands an update to a plugin that takes them, resolved like a create", async () => {
  const { address, plugin } = await siteOffering("pod-updates");
  plugin.says("/update", "ok").says("/create", '{"PodUID":"u","PodJID":"1"}');
  expect(await send(address, "POST", "/update", body)).toMatchObject({ code: 200 });
  await send(address, "POST", "/create", body);
  expect(plugin.asked("/update")[0]).toMatchObject({ method: "POST" });
  expect(plugin.asked("/update")[0]?.body).toBe(plugin.asked("/create")[0]?.body);
});

it("offers updates exactly when its plugin does, and says so to who asks all the same", async () => {
  const taking = await siteOffering("pod-updates");
  expect((await send(taking.address, "GET", "/capabilities")).body).toContain("pod-updates");
  const other = await siteOffering("status-stream");
  expect((await send(other.address, "GET", "/capabilities")).body).not.toContain("pod-updates");
  expect(await send(other.address, "POST", "/update", body)).toMatchObject({
    code: 404,
    body: "the plugin takes no updates of running pods",
  });
  expect(other.plugin.asked("/update")).toEqual([]);
});

it("hands on the plugin's refusal in its own words", async () => {
  const { address, plugin } = await siteOffering("pod-updates");
  plugin.says("/update", "No pod with UID 1 runs here.", 404);
  expect(await send(address, "POST", "/update", body)).toMatchObject({
    code: 404,
    body: "No pod with UID 1 runs here.",
  });
});

it("refuses a body that is no pod", async () => {
  const { address, plugin } = await siteOffering("pod-updates");
  expect((await send(address, "POST", "/update", '{"pod":{}}')).code).toBe(400);
  expect(plugin.asked("/update")).toEqual([]);
});

it("hands the Secrets of imagePullSecrets to a plugin that wants them, and to no other", async () => {
  const request = JSON.parse(body) as { pod: { spec: object }; secrets: unknown };
  const secret = { metadata: { name: "pull" }, data: { ".dockerconfigjson": "e30=" } };
  const withSecret = JSON.stringify({
    ...request,
    pod: { ...request.pod, spec: { ...request.pod.spec, imagePullSecrets: [{ name: "pull" }] } },
    secrets: [secret, ...((request.secrets as unknown[] | null) ?? [])],
  });
  const handed = async (...features: string[]): Promise<unknown> => {
    const { address, plugin } = await siteOffering(...features);
    plugin.says("/create", '{"PodUID":"u","PodJID":"1"}');
    expect(await send(address, "POST", "/create", withSecret)).toMatchObject({ code: 200 });
    const asked = plugin.asked("/create")[0]?.body ?? "";
    return (JSON.parse(asked) as { pullSecrets?: unknown }).pullSecrets;
  };
  expect(await handed("pull-secrets")).toEqual([expect.objectContaining(secret)]);
  expect(await handed("status-stream")).toBeUndefined();
});

it("hands what ephemeral containers mount to a plugin that runs them, and to no other", async () => {
  const request = JSON.parse(body) as { pod: { spec: object } };
  const ephemeralContainers = [{ name: "debugger", image: "i" }];
  const debugged = JSON.stringify({
    ...request,
    pod: { ...request.pod, spec: { ...request.pod.spec, ephemeralContainers } },
  });
  const handed = async (...features: string[]): Promise<unknown[]> => {
    const { address, plugin } = await siteOffering(...features);
    plugin.says("/create", '{"PodUID":"u","PodJID":"1"}');
    expect(await send(address, "POST", "/create", debugged)).toMatchObject({ code: 200 });
    const asked = plugin.asked("/create")[0]?.body ?? "";
    const { container } = JSON.parse(asked) as { container: { name: string }[] };
    return container.map(({ name }) => name);
  };
  expect(await handed("ephemeral-containers")).toContain("debugger");
  expect(await handed("status-stream")).not.toContain("debugger");
});
