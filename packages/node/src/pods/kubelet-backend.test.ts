import { type Feature, ProtocolError, ZERO_TIME } from "@interlink/protocol";
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
    ["one stream", { stream: "Stderr" }, true, { Stream: "Stderr" }],
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

  test("is asked for one stream only where the site keeps them apart", async () => {
    const site = new FakeSite();
    await expect(read(site, { stream: "Stderr" })).rejects.toMatchObject({
      code: "bad-request",
      message: expect.stringContaining("one log") as string,
    });
    expect(site.logRequests).toEqual([]);
    site.capabilities?.features.push("log-streams");
    await read(site, { stream: "Stderr" });
    expect(site.logRequests).toMatchObject([{ Opts: { Stream: "Stderr" } }]);
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

describe("what else the site offers", () => {
  const signal = new AbortController().signal;
  const offering = (...features: Feature[]) => {
    const site = new FakeSite();
    if (site.capabilities) site.capabilities.features = features;
    return { site, backend: createKubeletBackend({ pods: () => [aPod()] }, site) };
  };

  test("is required before it is used, in a sentence about the plugin", () => {
    const { backend } = offering("exec");
    expect(() => backend.requireOffer("exec")).not.toThrow();
    for (const feature of ["attach", "port-forward"] as const) {
      // Without a colon and a blank, which kubectl would take for YAML.
      expect(() => backend.requireOffer(feature)).toThrow(
        /^((?!: ).)*plugin .* does not offer((?!: ).)*$/,
      );
    }
  });

  test("is asked for by UID", async () => {
    const { site, backend } = offering("exec", "port-forward");
    const asked: object[] = [];
    const refuse = (request: object) => {
      asked.push(request);
      return Promise.reject(new ProtocolError("refused", "no shell", { httpStatus: 404 }));
    };
    Object.assign(site, { exec: refuse, portForward: refuse });
    const options = { stdin: true, stdout: true, stderr: false, tty: true };
    await expect(backend.exec(aPod(), "main", ["sh"], options, signal)).rejects.toThrow(
      "the site could not exec: no shell",
    );
    await expect(backend.portForward(aPod(), 80, signal)).rejects.toMatchObject({
      code: "not-found",
    });
    const who = { Namespace: "default", PodName: "p", PodUID: "uid-1" };
    expect(asked).toEqual([
      {
        ...who,
        ContainerName: "main",
        Stdin: true,
        Stdout: true,
        Stderr: false,
        TTY: true,
        Command: ["sh"],
      },
      { ...who, Port: 80 },
    ]);
  });

  test("statistics are of the pods of this node, under their own names", async () => {
    const { site, backend } = offering("stats");
    const stats = (uid: string) => ({
      podRef: { name: "as the plugin calls it", namespace: "x", uid },
      startTime: "2026-01-01T00:00:00Z",
      containers: [],
    });
    Object.assign(site, {
      stats: () => Promise.resolve({ pods: [stats("uid-1"), stats("of another node")] }),
    });
    const told = await backend.stats(signal);
    expect(told?.pods.map((one) => one.stats.podRef)).toEqual([
      { name: "p", namespace: "default", uid: "uid-1" },
    ]);
    expect(await offering().backend.stats(signal)).toBeUndefined();
  });
});
