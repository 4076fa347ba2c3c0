import { eventually } from "@interlink/kube/testing";
import { ProtocolError } from "@interlink/protocol";
import { pino } from "pino";
import { afterEach, beforeEach, expect, test } from "vitest";
import { PodWorld } from "../testing/pod-world.ts";
import { aboutError } from "./about-record.ts";

interface Line {
  msg: string;
  uid?: string;
  pod?: string;
  job?: string;
  requestId?: string;
}

let world: PodWorld;
beforeEach(async () => {
  world = await PodWorld.start();
});
afterEach(async () => {
  await world[Symbol.asyncDispose]();
});

/** All lines about a pod that the site first does not take, then takes, and that is deleted. */
async function linesOfALife(): Promise<Line[]> {
  const lines: Line[] = [];
  const write = (text: string) => lines.push(JSON.parse(text) as Line);
  const said = (msg: string) => eventually(() => lines.some((line) => line.msg === msg), msg);
  await world.node({ logger: pino({ level: "trace" }, { write }) });
  world.site.fail("create", "unreachable");
  world.site.fail("delete", "unreachable");
  world.put({ restartPolicy: "Never" });
  await said("the site did not take the pod");
  await said("the site accepted the pod");
  world.site.run("uid-1");
  await eventually(() => world.pod()?.status?.phase === "Running", "Running");
  world.delete();
  await said("the site did not take the delete");
  await said("the site accepted the delete");
  await said("the pod is gone");
  return lines;
}

test("every line about a pod says its UID, its name and, once there is one, its job", async () => {
  const lines = await linesOfALife();
  const accepted = lines.findIndex(({ msg }) => msg === "the site accepted the pod");
  for (const line of lines) expect(line).toMatchObject({ uid: "uid-1", pod: "default/p" });
  for (const line of lines.slice(accepted)) expect(line).toMatchObject({ job: "job-of-uid-1" });
});

test("a line about a request to the site says which, by the id that the site was told", async () => {
  const lines = await linesOfALife();
  const idOf = (words: string) => lines.find(({ msg }) => msg === words)?.requestId ?? "";
  expect(idOf("the site did not take the pod")).toMatch(/^CreatePod#/);
  expect(idOf("the site did not take the delete")).toMatch(/^DeletePod#/);
  const { requests } = world.site;
  expect(requests).toContain(idOf("the site accepted the pod"));
  expect(requests).toContain(idOf("the site accepted the delete"));
});

test("an error that is about a failed request names it, and others name none", () => {
  const failed = new ProtocolError("unreachable", "No connection.");
  failed.requestId = "CreatePod#1";
  const about = new Error("It did not work.", { cause: failed });
  expect(aboutError(about)).toEqual({ err: about, requestId: "CreatePod#1" });
  expect(aboutError(new Error("Other."))).not.toHaveProperty("requestId");
  const circle = new Error("Round.");
  circle.cause = circle;
  expect(aboutError(circle)).toEqual({ err: circle });
});
