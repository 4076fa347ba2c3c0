import { pino } from "pino";
import { expect, test } from "vitest";
import { send } from "./testing/go-caller.ts";
import { startSite } from "./testing/site.ts";

test("a node of the first design is answered its ping with a number, also while the plugin is away", async () => {
  await using site = await startSite();
  await site.plugin[Symbol.asyncDispose]();
  const answer = await send(site.address, "POST", "/ping", "");
  expect(answer).toMatchObject({ code: 200 });
  // As it reads it.
  expect(answer.body).toMatch(/^\d+$/);
});

test("the credentials that a node of the first design sends are taken, and let fall", async () => {
  const lines: string[] = [];
  const logger = pino({ level: "trace" }, { write: (line) => void lines.push(line) });
  await using site = await startSite({ logger });
  const kubeconfig = "apiVersion: v1\nkind: Config\nusers: [{ user: { token: hush-hush } }]\n";
  expect(await send(site.address, "POST", "/setKubeCFG", kubeconfig)).toMatchObject({ code: 200 });
  expect(lines.join("")).not.toContain("hush-hush");
  expect(site.plugin.requests).toEqual([]);
});
