import type { ServerResponse } from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { PluginRequest } from "./testing/fake-plugin.ts";
import { fixture, send } from "./testing/go-caller.ts";
import { startSite, type TestSite } from "./testing/site.ts";

// Plugins that exist, with their habits (reference: interlink-other-plugins.md section 1), asked as a Go virtual node
// asks: one pod at a time, GET with a body, anything but 200 an error, one object for a create.

let site: TestSite;
beforeEach(async () => {
  site = await startSite();
});
afterEach(() => site[Symbol.asyncDispose]());

interface AskedPod {
  metadata: { name: string; namespace: string; uid: string };
}
const pods = JSON.parse(fixture("status-request").body) as AskedPod[];
const [pod] = pods as [AskedPod];
const { name, namespace, uid } = pod.metadata;
const stranger: AskedPod = {
  ...pod,
  metadata: { ...pod.metadata, name: "stranger", uid: "00000000-0000-4000-8000-000000000000" },
};
const asked = (request: PluginRequest) => JSON.parse(request.body) as AskedPod[];
const answer = (response: ServerResponse, code: number, body: unknown, type: string) => {
  response.writeHead(code, { "content-type": type });
  response.end(typeof body === "string" ? body : JSON.stringify(body));
};
const goStatus = (...asking: AskedPod[]) =>
  send(site.address, "GET", "/status", JSON.stringify(asking), {
    "interlink-http-session": "GetStatus#71",
  });
const told = {
  name,
  UID: uid,
  namespace,
  JID: "17",
  containers: [{ name: "main", state: { terminated: { exitCode: 3, reason: "Error" } } }],
};

describe("a plugin in the manner of HTCondor's", () => {
  beforeEach(() => {
    const json = "application/json";
    site.plugin
      .on("/create", (_, response) => {
        const metadata = { name, namespace, uid };
        answer(response, 201, { PodUID: uid, PodJID: 17, metadata }, json);
      })
      .on("/status", (request, response) => {
        if (request.method !== "GET") return answer(response, 405, "<!doctype html>", "text/html");
        const [first] = asked(request);
        if (first === undefined) return answer(response, 200, { status: "healthy" }, json);
        if (first.metadata.uid !== uid)
          return answer(response, 404, { error: "no such job", timestamp: 1 }, json);
        return answer(response, 200, [{ ...told, initContainers: null }], json);
      })
      .on("/getLogs", (_, response) => answer(response, 200, '"NOT IMPLEMENTED"', "text/html"))
      .on("/delete", (_, response) => answer(response, 200, { message: "removed" }, json));
  });

  it("is taken at its 201, and its number is a text for the node", async () => {
    const created = await send(site.address, "POST", "/create", fixture("create-request").body);
    expect(created.code).toBe(200);
    expect(JSON.parse(created.body)).toEqual({ PodUID: uid, PodJID: "17" });
  });

  it("is asked for what it left out, and its 404 means that it does not know the pod", async () => {
    const one = await goStatus(pod);
    expect(one.code).toBe(200);
    expect(JSON.parse(one.body)).toMatchObject([{ UID: uid, JID: "17" }]);
    expect(await goStatus(stranger)).toMatchObject({ code: 200, body: "[]" });
    const both = await goStatus(stranger, pod);
    expect(JSON.parse(both.body)).toMatchObject([{ UID: uid }]);
  });

  it("makes the node ready, and is told to delete with POST", async () => {
    const ping = await send(site.address, "POST", "/pinglink", "", { authorization: "Bearer " });
    expect(ping).toMatchObject({ code: 200, body: '{"status":"healthy"}' });
    expect(site.plugin.asked("/status").at(-1)?.headers["authorization"]).toBeUndefined();
    const deleted = await send(site.address, "DELETE", "/delete", fixture("delete-request").body);
    expect(deleted.code).toBe(200);
    expect(site.plugin.asked("/delete")[0]?.method).toBe("POST");
    const log = await send(site.address, "GET", "/getLogs", fixture("log-request").body);
    expect(log).toMatchObject({ code: 200, body: '"NOT IMPLEMENTED"' });
  });
});

describe("a plugin in the manner of Docker's", () => {
  beforeEach(() => {
    const text = "text/plain; charset=utf-8";
    site.plugin.on("/status", (request, response) => {
      const asking = asked(request);
      if (asking.length === 0) return answer(response, 200, "null", text);
      if (asking.some(({ metadata }) => metadata.uid !== uid))
        return answer(response, 404, "some pods were not found", text);
      return answer(response, 200, [told], text);
    });
  });

  it("may refuse a whole list for one pod that it does not know: the others are told all the same", async () => {
    const both = await goStatus(pod, stranger);
    expect(both.code).toBe(200);
    expect(JSON.parse(both.body)).toMatchObject([{ UID: uid, initContainers: null }]);
  });

  it("may say no word to a ping, and the node is ready", async () => {
    expect(await send(site.address, "POST", "/pinglink")).toMatchObject({
      code: 200,
      body: "null",
    });
  });
});

describe("a plugin on the Python SDK", () => {
  it("fails its ping in its own words, and still answers for the first pod of a list", async () => {
    site.plugin.on("/status", (request, response) => {
      const [first] = asked(request);
      if (first === undefined)
        return answer(response, 500, { detail: "list index out of range" }, "application/json");
      const found = first.metadata.uid === uid ? [told] : [];
      return answer(response, 200, found, "application/json");
    });
    expect(await send(site.address, "POST", "/pinglink")).toMatchObject({
      code: 500,
      body: "list index out of range",
    });
    expect(JSON.parse((await goStatus(stranger, pod)).body)).toMatchObject([{ UID: uid }]);
  });
});
