import type { PodCreateRequest } from "@interlink/protocol";
import { expect, test } from "vitest";
import { aPod } from "../testing/pods.ts";
import { contentHash, readStamp, tokensHash, writeStamp } from "./content.ts";

function request(over: Partial<PodCreateRequest> = {}): PodCreateRequest {
  const sources = [{ serviceAccountToken: { path: "token" } }, { configMap: { name: "ca" } }];
  return {
    pod: aPod({ volumes: [{ name: "api", projected: { sources } }] }),
    configmaps: [{ metadata: { name: "cm", resourceVersion: "1" }, data: { a: "1", b: "2" } }],
    secrets: [],
    projectedvolumesmaps: [{ metadata: { name: "api" }, data: { token: "t1", ca: "pem" } }],
    jobscriptURL: "",
    ...over,
  };
}

test.each<[string, Partial<PodCreateRequest>]>([
  [
    "another token",
    { projectedvolumesmaps: [{ metadata: { name: "api" }, data: { token: "t2", ca: "pem" } }] },
  ],
  [
    "another version of an object",
    { configmaps: [{ metadata: { name: "cm", resourceVersion: "2" }, data: { b: "2", a: "1" } }] },
  ],
  [
    "a label of the pod that nothing shows",
    { pod: { ...request().pod, metadata: { labels: { a: "b" } } } },
  ],
])("%s is the same content", (_what, over) => {
  expect(contentHash(request(over))).toBe(contentHash(request()));
});

test.each<[string, Partial<PodCreateRequest>]>([
  ["a key's value", { configmaps: [{ metadata: { name: "cm" }, data: { a: "1", b: "3" } }] }],
  ["a key", { configmaps: [{ metadata: { name: "cm" }, data: { a: "1" } }] }],
  [
    "binary data",
    {
      configmaps: [
        { metadata: { name: "cm" }, data: { a: "1", b: "2" }, binaryData: { c: "AA==" } },
      ],
    },
  ],
  ["a missing object", { configmaps: [] }],
  [
    "a projected file",
    { projectedvolumesmaps: [{ metadata: { name: "api" }, data: { token: "t1", ca: "other" } }] },
  ],
  [
    "an environment",
    {
      pod: aPod({
        ...request().pod.spec,
        containers: [{ name: "main", env: [{ name: "A", value: "1" }] }],
      }),
    },
  ],
])("%s is another content", (_what, over) => {
  expect(contentHash(request(over))).not.toBe(contentHash(request()));
});

test("tokens have a hash of their own", () => {
  const other = [{ metadata: { name: "api" }, data: { token: "t2", ca: "pem" } }];
  expect(tokensHash(request({ projectedvolumesmaps: other }))).not.toBe(tokensHash(request()));
  expect(tokensHash(request({ configmaps: [] }))).toBe(tokensHash(request()));
});

test("a stamp is read as it was written, and a foreign one is none", () => {
  const hash = contentHash(request());
  for (const renewAt of [undefined, 1_700_000_000_000]) {
    expect(readStamp(writeStamp({ hash, renewAt }))).toEqual({ hash, renewAt });
  }
  for (const foreign of [undefined, "", "2 abc", `1 ${hash} x`]) {
    expect(readStamp(foreign)).toBeUndefined();
  }
});
