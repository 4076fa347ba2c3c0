import { expect, test } from "vitest";
import type { EngineClient } from "../engine/engine-client.ts";
import { EngineError } from "../engine/engine-error.ts";
import { LABELS } from "../pods/labels.ts";
import { containerOfName } from "./taken-name.ts";

const ask = (answer: () => unknown): ReturnType<typeof containerOfName> => {
  const engine = { json: async () => answer() } as unknown as EngineClient;
  const isSame = (labels: Readonly<Record<string, string>>) => labels[LABELS.uid] === "a";
  return containerOfName(engine, "n", "mine", isSame, new AbortController().signal);
};
const inspected = (labels: Record<string, string> | undefined, status = "created") => ({
  Id: "1",
  Config: { Labels: labels },
  State: { Status: status },
});
const own = { [LABELS.plugin]: "mine", [LABELS.uid]: "a" };
const fail = (error: Error) => (): never => {
  throw error;
};

test("a name is taken by the same container, from a create that nobody heard of", async () => {
  expect(await ask(() => inspected(own))).toMatchObject({ Id: "1" });
  expect(await ask(() => inspected(own, "dead"))).toMatchObject({ Id: "1" });
});

test.each([
  ["is just being removed", () => inspected(own, "removing")],
  ["has just gone", fail(new EngineError("not-found", "no such container"))],
])("a name is free soon whose container %s", async (_what, answer) => {
  expect(await ask(answer)).toBeUndefined();
});

test.each([
  ["nobody's", undefined],
  ["another plugin's", { ...own, [LABELS.plugin]: "other" }],
  ["another pod's", { ...own, [LABELS.uid]: "b" }],
])("a name that is %s is never used", async (_whose, labels) => {
  await expect(ask(() => inspected(labels))).rejects.toMatchObject({
    code: "CreateFailed",
    message: expect.stringContaining("is taken by a container that plugin mine did not make"),
  });
});

test("an engine that does not answer is no free name", async () => {
  const silent = new EngineError("unreachable", "no answer");
  await expect(ask(fail(silent))).rejects.toBe(silent);
});
