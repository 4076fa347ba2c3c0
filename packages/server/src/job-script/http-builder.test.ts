import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { emptyJobConfig, ProtocolError, type RetrievedPodData } from "@interlink/protocol";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fixture, send } from "../testing/go-caller.ts";
import { startSite } from "../testing/site.ts";
import { createHttpJobScriptBuilder } from "./http-builder.ts";

/** A builder of job scripts that answers as the test says, and notes what it is told. */
const builder = createServer((request, response) => void take(request, response));
let url = "";
let told: string[] = [];
let answers: { code: number; body: string }[] = [];

async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk as Uint8Array);
  told.push(Buffer.concat(chunks).toString("utf8"));
  const answer = answers.shift();
  // Nothing to say: it never answers.
  if (answer !== undefined) response.writeHead(answer.code).end(answer.body);
}

beforeEach(async () => {
  told = [];
  answers = [];
  builder.listen(0, "127.0.0.1");
  await once(builder, "listening");
  url = `http://127.0.0.1:${(builder.address() as AddressInfo).port}/build`;
});
afterEach(async () => {
  builder.closeAllConnections();
  builder.close();
  await once(builder, "close");
});

const jobConfig = { ...emptyJobConfig() };
jobConfig.ApptainerOptions = { ...jobConfig.ApptainerOptions, executable: "apptainer" };
const data: RetrievedPodData = {
  pod: { metadata: { name: "p", namespace: "default", uid: "u" }, spec: { containers: [] } },
  container: [],
  jobConfig: emptyJobConfig(),
  pullSecrets: [{ metadata: { name: "registry" }, data: { ".dockerconfigjson": "aHVzaA==" } }],
};
const build = (deadlineMs = 5000, signal = new AbortController().signal) =>
  createHttpJobScriptBuilder({ jobConfig, deadlineMs, random: () => 0 }).build(data, url, signal);

describe("a builder of job scripts", () => {
  test("is told the pod and the configuration, and its answer is the script", async () => {
    answers = [{ code: 200, body: "#!/bin/sh\necho hi\n" }];
    expect(await build()).toEqual({ jobConfig, jobScript: "#!/bin/sh\necho hi\n" });
    expect(JSON.parse(told[0] ?? "")).toMatchObject({
      pod: { metadata: { uid: "u" } },
      jobConfig: { ApptainerOptions: { executable: "apptainer" } },
    });
  });

  test("is not told the secrets of registries", async () => {
    answers = [{ code: 200, body: "" }];
    await build();
    expect(told[0]).not.toContain("aHVzaA==");
  });

  test("is asked again when it fails for a while", async () => {
    answers = [
      { code: 503, body: "later" },
      { code: 429, body: "later" },
      { code: 201, body: "script" },
    ];
    expect(await build()).toMatchObject({ jobScript: "script" });
    expect(told).toHaveLength(3);
  });

  test("that goes on failing is told in its own words", async () => {
    answers = Array.from({ length: 3 }, () => ({ code: 500, body: "no template\n" }));
    await expect(build()).rejects.toMatchObject({
      code: "refused",
      message: "the job-script builder answers 500: no template",
    });
  });

  test("that refuses a pod is asked once, and the refusal is final", async () => {
    answers = [{ code: 422, body: "image not allowed" }];
    const refusal: unknown = await build().catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(ProtocolError);
    expect(refusal).toMatchObject({ httpStatus: 422, transient: false });
    expect((refusal as Error).message).toMatch(/422: image not allowed/);
    expect(told).toHaveLength(1);
  });

  test("that never answers is given up", async () => {
    await expect(build(50)).rejects.toMatchObject({
      code: "unavailable",
      message: "the job-script builder: no answer within 50 ms",
    });
    expect(told).toHaveLength(3);
  });

  test("is let go when the caller has gone", async () => {
    const caller = new AbortController();
    const building = build(60_000, caller.signal);
    await expect.poll(() => told.length).toBe(1);
    caller.abort();
    await expect(building).rejects.toThrow(/abort/);
  });

  test.each(["file:///etc/passwd", "builder", "ftp://host/x"])(
    "is not asked at %s",
    async (address) => {
      const one = createHttpJobScriptBuilder({ jobConfig });
      await expect(one.build(data, address, new AbortController().signal)).rejects.toMatchObject({
        code: "invalid",
      });
    },
  );

  test("gives the plugin its script, and pods that name none go without", async () => {
    answers = [{ code: 200, body: "the script" }];
    const jobScriptBuilder = createHttpJobScriptBuilder({ jobConfig });
    await using site = await startSite({ jobScriptBuilder });
    site.plugin.says("/create", fixture("create-answer").body);
    const request = JSON.parse(fixture("create-request").body) as Record<string, unknown>;
    const asked = JSON.stringify({ ...request, jobscriptURL: url });
    expect(await send(site.address, "POST", "/create", asked)).toMatchObject({ code: 200 });
    expect(await send(site.address, "POST", "/create", JSON.stringify(request))).toMatchObject({
      code: 200,
    });
    const [first, second] = site.plugin.asked("/create").map(({ body }) => body);
    expect(first).toContain('"jobScript":"the script"');
    expect(second).not.toContain("jobScript");
  });
});
