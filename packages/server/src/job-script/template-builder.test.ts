import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PodCreateRequest } from "@interlink/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { fixture, send } from "../testing/go-caller.ts";
import { startSite } from "../testing/site.ts";
import { createTemplateBuilder } from "./template-builder.ts";

let directory: string;
let file: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "job-script-"));
  file = join(directory, "job.tmpl");
});
afterEach(() => rm(directory, { recursive: true }));

/** As editors and ConfigMap volumes do it. */
async function write(text: string): Promise<void> {
  await writeFile(`${file}.new`, text);
  await rename(`${file}.new`, file);
}

test("every pod gets the template's script, a changed template counts from then on, a broken one makes pods wait", async () => {
  await write("#!/bin/sh\n# {{.Pod.Name}} {{range .Containers}}{{.Name}} {{end}}\n");
  await using site = await startSite({ jobScriptBuilder: await createTemplateBuilder(file) });
  site.plugin.says("/create", "{}");
  const create = () => send(site.address, "POST", "/create", fixture("create-request").body);
  const { pod } = fixture("create-request").reads as PodCreateRequest;
  const scripts = () =>
    site.plugin
      .asked("/create")
      .map(({ body }) => (JSON.parse(body) as { jobScript: string }).jobScript);

  expect((await create()).code).toBe(200);
  expect(scripts()).toEqual([expect.stringMatching(`^#!/bin/sh\n# ${pod.metadata?.name} .*main`)]);

  await write("{{if}}");
  const refused = await create();
  expect(refused.code).toBe(503);
  expect(refused.body).toContain(`${file}:1:1: a value is missing`);

  await write("new {{(index .Pod.Spec.Containers 0).Name}}");
  expect((await create()).code).toBe(200);
  expect(scripts()[1]).toMatch(/^new \w+$/);

  await write("{{(index .Pod.Spec.Containers 77).Name}}");
  const unfit = await create();
  expect(unfit.code).toBe(400);
  expect(unfit.body).toContain("there is no element 77");
  expect(scripts()).toHaveLength(2);
});

test("a template that is wrong, or not there, does not come to serve", async () => {
  await expect(createTemplateBuilder(file)).rejects.toThrow("ENOENT");
  await write("\n{{.Pod.Nmae}}");
  await expect(createTemplateBuilder(file)).rejects.toThrow(`${file}:2:3: Pod has no field Nmae`);
});

test("a pod that names a builder is served by that, or refused", async () => {
  await write("local");
  const request = fixture("create-request").reads as PodCreateRequest;
  const body = JSON.stringify({ ...request, jobscriptURL: "http://builder" });
  {
    await using site = await startSite({ jobScriptBuilder: await createTemplateBuilder(file) });
    expect((await send(site.address, "POST", "/create", body)).code).toBe(501);
  }
  const elsewhere = {
    build: async (data: { jobConfig: unknown }, url: string) =>
      ({ jobConfig: data.jobConfig, jobScript: `from ${url}` }) as never,
  };
  await using site = await startSite({
    jobScriptBuilder: await createTemplateBuilder(file, elsewhere),
  });
  site.plugin.says("/create", "{}");
  expect((await send(site.address, "POST", "/create", body)).code).toBe(200);
  expect(site.plugin.asked("/create")[0]?.body).toContain('"jobScript":"from http://builder"');
});
