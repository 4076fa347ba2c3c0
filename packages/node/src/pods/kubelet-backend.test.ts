import { ProtocolError, ZERO_TIME } from "@interlink/protocol";
import { describe, expect, test } from "vitest";
import type { ContainerLogOptions } from "../kubelet-api/log-options.ts";
import { FakeSite } from "../testing/fake-site.ts";
import { aPod } from "../testing/pods.ts";
import { createKubeletBackend, logRequest } from "./kubelet-backend.ts";

const plain: ContainerLogOptions = { follow: false, previous: false, timestamps: false };
const ask = (over: Partial<ContainerLogOptions>, extended: boolean) =>
  logRequest(aPod(), "main", { ...plain, ...over }, extended).Opts;

describe("logRequest", () => {
  test("names the pod by UID and writes what is not set as Go peers do", () => {
    expect(logRequest(aPod(), "main", plain, false)).toEqual({
      Namespace: "default",
      PodUID: "uid-1",
      PodName: "p",
      ContainerName: "main",
      Opts: {
        Tail: 0,
        Bytes: 0,
        Timestamps: false,
        Follow: false,
        Previous: false,
        SinceSeconds: 0,
        SinceTime: ZERO_TIME,
      },
    });
  });

  test.each<[string, Partial<ContainerLogOptions>, boolean, object]>([
    ["tail 0 is said", { tailLines: 0 }, true, { Tail: 0, TailIsSet: true }],
    ["tail and bytes go together", { tailLines: 5, limitBytes: 9 }, true, { Tail: 5, Bytes: 9 }],
    [
      "an old peer gets the tail only",
      { tailLines: 5, limitBytes: 9 },
      false,
      { Tail: 5, Bytes: 0 },
    ],
    ["or the bytes", { limitBytes: 9 }, false, { Bytes: 9 }],
    ["following without old lines", { tailLines: 0, follow: true }, false, { SinceSeconds: 1 }],
    ["since seconds", { sinceSeconds: 7 }, false, { SinceSeconds: 7, SinceTime: ZERO_TIME }],
    [
      "since a time",
      { sinceTime: "2026-01-01T00:00:00Z", tailLines: 0 },
      false,
      { SinceSeconds: 0 },
    ],
    [
      "flags",
      { follow: true, previous: true, timestamps: true },
      true,
      { Follow: true, Previous: true, Timestamps: true },
    ],
  ])("%s", (_, over, extended, opts) => expect(ask(over, extended)).toMatchObject(opts));
});

describe("the log of a container", () => {
  const read = async (site: FakeSite, over: Partial<ContainerLogOptions> = {}) => {
    const backend = createKubeletBackend({ pods: () => [aPod()] }, site);
    const pod = backend.pod("default", "p");
    const chunks: Uint8Array[] = [];
    const log = backend.logs(pod!, "main", { ...plain, ...over }, new AbortController().signal);
    for await (const chunk of log) chunks.push(chunk);
    return Buffer.concat(chunks).toString();
  };

  test("comes from the site as it is", async () => {
    expect(await read(new FakeSite())).toBe("hello\n");
  });

  test("is not even asked for when no line of it is wanted from a peer that cannot say so", async () => {
    const site = new FakeSite();
    site.capabilities = undefined;
    expect(await read(site, { tailLines: 0 })).toBe("");
    expect(site.logRequests).toEqual([]);
  });

  test("the site's refusal reaches the user in its own words", async () => {
    const site = new FakeSite();
    site.logs = () =>
      Promise.reject(new ProtocolError("refused", "no such container", { httpStatus: 404 }));
    await expect(read(site)).rejects.toMatchObject({
      code: "not-found",
      message: "the site gives no log: no such container",
    });
  });
});
