import { createInterlinkClient, type InterlinkClient } from "@interlink/protocol";
import type { Pod } from "kubernetes-types/core/v1.js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakePlugin } from "../testing/fake-plugin.ts";
import { askPlugin } from "./ask-plugin.ts";

const pods: Pod[] = ["a", "b", "c"].map((uid) => ({
  metadata: { uid, name: uid, namespace: "d" },
  spec: { containers: [{ name: "main" }] },
}));
const { signal } = new AbortController();

let plugin: FakePlugin;
let client: InterlinkClient;
beforeEach(async () => {
  plugin = await new FakePlugin().start();
  client = createInterlinkClient({ address: plugin.address, peer: "plugin" });
});
afterEach(async () => {
  await client.close();
  await plugin[Symbol.asyncDispose]();
});

/** Knows these pods; `limited` looks at the first of a list only, `strict` says 404 when any is unknown. */
function pluginKnowing(known: string[], way: "limited" | "strict" | "whole"): void {
  plugin.on("/status", (request, response) => {
    const asked = (JSON.parse(request.body) as Pod[]).map(({ metadata }) => metadata?.uid ?? "");
    const looked = way === "limited" ? asked.slice(0, 1) : asked;
    if (way === "strict" && looked.some((uid) => !known.includes(uid))) response.statusCode = 404;
    response.end(
      response.statusCode === 404
        ? "no such pod"
        : JSON.stringify(looked.filter((uid) => known.includes(uid)).map((UID) => ({ UID }))),
    );
  });
}

const ask = async (answersLists: boolean): Promise<string[]> =>
  (await askPlugin(client, pods, answersLists, signal)).map(({ UID }) => UID).sort();

describe("askPlugin", () => {
  it.each(["limited", "strict", "whole"] as const)(
    "finds every pod that a base plugin knows, when it answers lists in the %s way",
    async (way) => {
      pluginKnowing(["a", "c"], way);
      expect(await ask(false)).toEqual(["a", "c"]);
    },
  );

  it("asks a plugin of the extension exactly once", async () => {
    pluginKnowing(["a"], "whole");
    expect(await ask(true)).toEqual(["a"]);
    expect(plugin.requests).toHaveLength(1);
  });

  it("asks a base plugin that answers the whole list exactly once", async () => {
    pluginKnowing(["a", "b", "c"], "whole");
    expect(await ask(false)).toEqual(["a", "b", "c"]);
    expect(plugin.requests).toHaveLength(1);
  });

  it("does not take 404 for `unknown` when the plugin's path itself is not there", async () => {
    await expect(ask(false)).rejects.toMatchObject({ code: "refused", httpStatus: 404 });
  });

  it("fails as a whole when one part of the answer is not known", async () => {
    plugin.on("/status", (request, response) => {
      const asked = JSON.parse(request.body) as Pod[];
      if (asked.length === 1 && asked[0]?.metadata?.uid === "c") response.statusCode = 500;
      response.end(response.statusCode === 500 ? "squeue: error" : '[{"UID":"a"}]');
    });
    await expect(ask(false)).rejects.toMatchObject({ code: "refused", message: "squeue: error" });
  });
});
