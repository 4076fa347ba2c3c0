import type { RemotePodStatus } from "@interlink/protocol";
import { describe, expect, test } from "vitest";
import { clearLeftovers } from "./leftovers.ts";

const status = (name: string): RemotePodStatus => ({
  name,
  namespace: "default",
  UID: `uid-${name}`,
  JID: "",
  containers: [],
  initContainers: [],
});

/** A provider whose pods are gone once they have been asked for `looks` times after their delete. */
function providerOf(names: string[], looks = 1) {
  const pods = new Map(names.map((name) => [`uid-${name}`, { name, looks: Number.NaN }]));
  const deleted: { uid: string; graceSeconds: number | undefined }[] = [];
  return {
    deleted,
    status: async () => {
      for (const [uid, pod] of pods) if (pod.looks-- <= 0) pods.delete(uid);
      return [...pods.values()].map(({ name }) => status(name));
    },
    delete: async ({
      metadata,
    }: {
      metadata?: { uid?: string; deletionGracePeriodSeconds?: number };
    }) => {
      const uid = metadata?.uid ?? "";
      deleted.push({ uid, graceSeconds: metadata?.deletionGracePeriodSeconds });
      const pod = pods.get(uid);
      if (pod !== undefined) pod.looks = looks;
    },
  };
}

describe("what an earlier run left behind", () => {
  test("every pod is deleted once, and waited for", async () => {
    const provider = providerOf(["a", "b"]);
    const told: string[] = [];
    const left = await clearLeftovers(provider, new AbortController().signal, (text) => {
      told.push(text);
    });
    expect(left).toEqual([]);
    expect(provider.deleted).toEqual([
      { uid: "uid-a", graceSeconds: 5 },
      { uid: "uid-b", graceSeconds: 5 },
    ]);
    expect(told[0]).toBe("stopping 2 pods of an earlier run");
  });

  test("where nothing was left, nothing is told", async () => {
    const told: string[] = [];
    await clearLeftovers(providerOf([]), new AbortController().signal, (text) => told.push(text));
    expect(told).toEqual([]);
  });

  test("a pod that does not end is named when the time is over", async () => {
    const time = new AbortController();
    const provider = providerOf(["stuck"], Number.POSITIVE_INFINITY);
    const ended = clearLeftovers(provider, time.signal, () => time.abort());
    expect(await ended).toEqual(["stuck"]);
  });

  test("a plugin that cannot say what is there is an error, and no empty answer", async () => {
    const provider = { ...providerOf([]), status: () => Promise.reject(new Error("no answer")) };
    await expect(clearLeftovers(provider, new AbortController().signal, () => {})).rejects.toThrow(
      "no answer",
    );
  });
});
