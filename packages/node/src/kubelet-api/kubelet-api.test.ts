import { X509Certificate } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import type { TLSSocket } from "node:tls";
import { createKubeClient, type KubeClient, loadKubeCredentials } from "@interlink/kube";
import { eventually, FakeApiServer } from "@interlink/kube/testing";
import fc from "fast-check";
import type { Pod } from "kubernetes-types/core/v1.js";
import { pino } from "pino";
import { Registry } from "prom-client";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type TestAuthority, testAuthority } from "../testing/certificates.ts";
import { noStreams } from "../testing/fake-kubelet-backend.ts";
import { createAuthenticator } from "./authentication.ts";
import { createAuthorizer } from "./authorization.ts";
import type { KubeletBackend } from "./backend.ts";
import { type KubeletApi, startKubeletApi } from "./kubelet-api.ts";
import { KubeletError } from "./kubelet-error.ts";
import type { ContainerLogOptions } from "./log-options.ts";
import { selfSignedCertificate } from "./serving-certificate.ts";

const logsPath = "/containerLogs/ns/p/c";
const running: Pod = {
  metadata: { name: "p", namespace: "ns", uid: "u", labels: { a: "b" } },
  spec: { containers: [{ name: "c", image: "busybox" }] },
  status: {
    phase: "Running",
    containerStatuses: [
      { name: "c", image: "", imageID: "", ready: true, restartCount: 0, state: { running: {} } },
    ],
  },
};
const pending: Pod = { metadata: { name: "q", namespace: "ns" }, spec: { containers: [] } };

interface Answer {
  status: number;
  text: string;
}

let authority: TestAuthority;
let admin: { cert: string; key: string };
let serving: { cert: string; key: string };
let fake: FakeApiServer;
let client: KubeClient;
let api: KubeletApi;
let now: number;
let read: KubeletBackend["logs"];
let asked: ContainerLogOptions[];

beforeAll(async () => {
  authority = await testAuthority("cluster");
  admin = await authority.client("apiserver", ["system:masters", "second"]);
  serving = await selfSignedCertificate("n", ["n", "127.0.0.1"], new Date());
});

beforeEach(async () => {
  fake = await FakeApiServer.start();
  client = createKubeClient(await loadKubeCredentials({ kubeconfigYaml: fake.kubeconfigYaml }));
  now = 0;
  asked = [];
  read = async function* read() {
    yield Buffer.from("hello\n");
  };
  const metrics = new Registry();
  api = await startKubeletApi({
    host: "127.0.0.1",
    port: 0,
    certificate: serving,
    clientCaPem: authority.caPem,
    authenticate: createAuthenticator(client, () => now),
    authorize: createAuthorizer(client, "n", () => now),
    backend: {
      pods: () => [running, pending],
      pod: (namespace, name) =>
        [running, pending].find(
          (one) => one.metadata?.namespace === namespace && one.metadata.name === name,
        ),
      logs: (pod, container, options, signal) => {
        asked.push(options);
        return read(pod, container, options, signal);
      },
      ...noStreams,
    },
    node: { name: "n", startTime: "2026-01-01T00:00:00Z", capacity: () => ({ pods: "7" }) },
    metrics,
    logger: pino({ level: "silent" }),
  });
});

afterEach(async () => {
  await api.close();
  await client.close();
  await fake[Symbol.asyncDispose]();
});

/** The cluster's answers to reviews: POSTs that the fake keeps as they are, made to say yes or no. */
function cluster(answers: { user?: string; allow: (subresource: string) => boolean }): void {
  fake.answer("/apis/authentication.k8s.io/v1/tokenreviews", () => ({
    status:
      answers.user === undefined
        ? { authenticated: false }
        : { authenticated: true, user: { username: answers.user, groups: ["g"] } },
  }));
  fake.answer("/apis/authorization.k8s.io/v1/subjectaccessreviews", (body) => {
    const { spec } = body as { spec: { resourceAttributes: { subresource: string } } };
    return { status: { allowed: answers.allow(spec.resourceAttributes.subresource) } };
  });
}
const allowAll = { allow: () => true };
const reviews = (kind: string): unknown[] =>
  fake.requests.filter((one) => one.path.endsWith(kind)).map((one) => one.body);

interface Asking {
  method?: string;
  cert?: { cert: string; key: string } | undefined;
  token?: string;
}

function open(path: string, { method = "GET", cert, token }: Asking): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request(
      {
        host: "127.0.0.1",
        port: api.port,
        path,
        method,
        rejectUnauthorized: false,
        agent: false,
        ...cert,
        headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      },
      resolve,
    )
      .on("error", reject)
      .end();
  });
}

async function ask(path: string, asking: Asking = { cert: admin }): Promise<Answer> {
  const response = await open(path, asking);
  let text = "";
  for await (const chunk of response) text += String(chunk);
  return { status: response.statusCode ?? 0, text };
}

describe("who may ask", () => {
  it("answers /healthz to anyone and nothing else to nobody", async () => {
    for (const path of ["/healthz", "/healthz/ping", "/healthz/log", "/healthz/syncloop"])
      expect(await ask(path, {})).toEqual({ status: 200, text: "ok" });
    for (const path of [
      "/pods",
      "/stats/summary",
      "/metrics/resource",
      "/metrics/cadvisor",
      "/metrics/probes",
      "/configz",
      "/run/ns/p/c?cmd=a",
      "/attach/ns/p/c?output=1",
      "/portForward/ns/p",
      "/metrics",
      "/runningpods/",
      logsPath,
      "/exec/ns/p/c",
      "/nowhere",
      "/healthzx",
      "/healthz/../pods",
      "/containerLogs/../healthz/c",
      "//node/healthz",
    ])
      expect(await ask(path, {})).toEqual({ status: 401, text: "Unauthorized" });
  });

  it("believes a certificate of the client CA, and asks the cluster what its user may", async () => {
    cluster(allowAll);
    expect((await ask(logsPath)).status).toBe(200);
    expect(reviews("subjectaccessreviews")).toEqual([
      {
        apiVersion: "authorization.k8s.io/v1",
        kind: "SubjectAccessReview",
        spec: {
          user: "apiserver",
          groups: ["system:masters", "second"],
          resourceAttributes: {
            verb: "get",
            version: "v1",
            resource: "nodes",
            name: "n",
            subresource: "proxy",
          },
        },
      },
    ]);
  });

  it("does not believe a certificate of another CA with the same names", async () => {
    cluster(allowAll);
    const other = await (await testAuthority("cluster")).client("apiserver", ["system:masters"]);
    expect((await ask(logsPath, { cert: other })).status).toBe(401);
  });

  it("asks the cluster about a token, and remembers a yes for two minutes", async () => {
    cluster({ user: "system:serviceaccount:a:b", allow: () => true });
    for (let i = 0; i < 3; i += 1) expect((await ask(logsPath, { token: "t" })).status).toBe(200);
    expect(reviews("tokenreviews")).toHaveLength(1);
    now = 120_000;
    await ask(logsPath, { token: "t" });
    expect(reviews("tokenreviews")).toHaveLength(2);
  });

  it("refuses a token that the cluster does not know, and every token while the cluster is away", async () => {
    cluster(allowAll);
    expect((await ask(logsPath, { token: "t" })).status).toBe(401);
    fake.inject((one) => one.path.endsWith("tokenreviews"), { kind: "status", code: 500 });
    expect((await ask(logsPath, { token: "t" })).status).toBe(401);
  });

  it("forbids in the kubelet's words, and asks again after half a minute", async () => {
    cluster({ user: "u", allow: () => false });
    const answer = await ask("/pods", { token: "t" });
    expect(answer).toEqual({
      status: 403,
      text: "Forbidden (user=u, verb=get, resource=nodes, subresource(s)=[pods proxy])",
    });
    cluster({ user: "u", allow: (subresource) => subresource === "proxy" });
    expect((await ask("/pods", { token: "t" })).status).toBe(403);
    now = 30_000;
    expect((await ask("/pods", { token: "t" })).status).toBe(200);
  });

  it("lets nobody in while the cluster cannot be asked what he may", async () => {
    cluster(allowAll);
    fake.inject((one) => one.path.endsWith("subjectaccessreviews"), { kind: "status", code: 500 });
    expect((await ask(logsPath)).status).toBe(500);
    expect(asked).toEqual([]);
  });
});

describe("what is shown", () => {
  beforeEach(() => cluster(allowAll));

  it("lists the pods, and the running ones as a runtime would", async () => {
    expect(JSON.parse((await ask("/pods")).text)).toEqual({
      kind: "PodList",
      apiVersion: "v1",
      metadata: {},
      items: [running, pending],
    });
    expect(JSON.parse((await ask("/runningpods/")).text)).toMatchObject({
      items: [
        {
          metadata: { name: "p", namespace: "ns", uid: "u" },
          spec: { containers: [{ name: "c", image: "busybox" }] },
        },
      ],
    });
  });

  it("answers 404 to unknown paths and 501 with a sentence to what is not offered", async () => {
    expect((await ask("/nowhere")).status).toBe(404);
    expect((await ask("/metrics")).status).toBe(200);
    for (const path of [
      "/exec/ns/p/c?command=a&output=1",
      "/attach/ns/p/c?output=1",
      "/portForward/ns/p",
      "/run/ns/p/c?cmd=a",
      "/checkpoint/ns/p/c",
    ]) {
      const answer = await ask(path, { cert: admin, method: "POST" });
      expect(answer.status).toBe(501);
      expect(answer.text).toMatch(/does not offer [-\w]+/);
    }
  });

  it("passes log options on, and refuses wrong ones before it asks", async () => {
    const path = `${logsPath}?follow=true&timestamps=true&tailLines=3&sinceSeconds=9&limitBytes=100&stream=All`;
    expect(await ask(path)).toEqual({ status: 200, text: "hello\n" });
    expect(asked).toEqual([
      {
        follow: true,
        previous: false,
        timestamps: true,
        tailLines: 3,
        sinceSeconds: 9,
        limitBytes: 100,
      },
    ]);
    expect(await ask(`${logsPath}?tailLines=-1`)).toEqual({
      status: 422,
      text: '{"message": "Invalid request."}',
    });
    expect(await ask("/containerLogs/ns/none/c")).toEqual({
      status: 404,
      text: 'pod "none" does not exist\n',
    });
    expect(asked).toHaveLength(1);
  });

  it("cuts a log at limitBytes, in the middle of a line if need be", async () => {
    read = async function* read() {
      for (;;) yield Buffer.from("0123456789");
    };
    expect(await ask(`${logsPath}?limitBytes=25`)).toEqual({
      status: 200,
      text: "0123456789012345678901234",
    });
  });

  it("sends the header and each line at once while a log is followed, and stops reading when the reader leaves", async () => {
    let write: (text: string) => void = () => undefined;
    let ended = false;
    read = async function* read(_pod, _container, _options, signal) {
      try {
        while (!signal.aborted) {
          const text = await new Promise<string>((resolve) => {
            write = resolve;
            signal.addEventListener("abort", () => resolve(""), { once: true });
          });
          yield Buffer.from(text);
        }
      } finally {
        ended = true;
      }
    };
    const response = await open(`${logsPath}?follow=true`, { cert: admin });
    expect(response.statusCode).toBe(200);
    const lines = response[Symbol.asyncIterator]();
    write("one\n");
    expect(String((await lines.next()).value)).toBe("one\n");
    write("two\n");
    expect(String((await lines.next()).value)).toBe("two\n");
    response.destroy();
    await eventually(() => ended, "the end of the upstream read");
  });

  it("reads no faster than the reader does", async () => {
    let chunks = 0;
    read = async function* read() {
      for (; chunks < 1000; chunks += 1) yield Buffer.alloc(256 * 1024, 0x61);
    };
    const response = await open(logsPath, { cert: admin });
    response.pause();
    let last = -1;
    // Until nothing more is read from the source in many turns of the event loop.
    await eventually(() => {
      const still = chunks === last && chunks > 0;
      last = chunks;
      return still;
    });
    expect(chunks).toBeLessThan(500);
    let size = 0;
    for await (const chunk of response) size += (chunk as Buffer).length;
    expect(size).toBe(1000 * 256 * 1024);
  });

  it("answers with the site's reason when it has no log, and ends a log with it when it breaks off", async () => {
    const refusal = new KubeletError("unavailable", "the site does not answer");
    read = () => ({ [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(refusal) }) });
    expect(await ask(logsPath)).toEqual({ status: 503, text: "the site does not answer" });
    read = async function* read() {
      yield Buffer.from("part\n");
      throw new Error("connection lost");
    };
    expect(await ask(logsPath)).toEqual({
      status: 200,
      text: "part\n\nThe log ends here: connection lost\n",
    });
  });

  it("closes although a log is being followed from a source that hangs", async () => {
    read = async function* read() {
      yield Buffer.from("first\n");
      await new Promise(() => undefined);
    };
    const response = await open(`${logsPath}?follow=true`, { cert: admin });
    await response[Symbol.asyncIterator]().next();
    await api.close();
  });
});

describe("hostile requests", () => {
  it("are answered, never with a crash, and open no log of a container that there is not", async () => {
    cluster(allowAll);
    const piece = fc.oneof(
      fc.constantFrom(
        "containerLogs",
        "pods",
        "exec",
        "..",
        "%2e%2e",
        "%00",
        "%zz",
        "ns",
        "p",
        "?",
        "%2F",
      ),
      fc.string({ maxLength: 20 }).map(encodeURIComponent),
    );
    const method = fc.constantFrom("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS");
    await fc.assert(
      fc.asyncProperty(method, fc.array(piece, { maxLength: 6 }), async (verb, pieces) => {
        const { status } = await ask(`/${pieces.join("/")}`, { method: verb, cert: admin });
        expect([200, 400, 404, 405, 414, 422, 501]).toContain(status);
      }),
      { numRuns: 60 },
    );
    expect(asked).toEqual([]);
    expect((await ask("/healthz", {})).status).toBe(200);
  });
});

describe("useCertificate", () => {
  it("serves new connections with the new certificate", async () => {
    api.useCertificate(await selfSignedCertificate("n", ["renewed"], new Date()));
    const response = await open("/healthz", {});
    const { subjectaltname } = (response.socket as TLSSocket).getPeerCertificate();
    response.destroy();
    expect(subjectaltname).toBe("DNS:renewed");
  });
});

describe("useClientCa", () => {
  it("believes certificates of the new CA on new connections, and none of the old one", async () => {
    cluster(allowAll);
    const next = await testAuthority("next");
    const cert = await next.client("apiserver", ["system:masters"]);
    expect((await ask(logsPath, { cert })).status).toBe(401);
    api.useClientCa(next.caPem);
    expect((await ask(logsPath, { cert })).status).toBe(200);
    expect((await ask(logsPath, { cert: admin })).status).toBe(401);
  });
});

describe("selfSignedCertificate", () => {
  it("covers the node's addresses and is fit for serving", () => {
    const certificate = new X509Certificate(serving.cert);
    expect(certificate.subjectAltName).toBe("DNS:n, IP Address:127.0.0.1");
    expect(certificate.checkIP("127.0.0.1")).toBe("127.0.0.1");
    expect(certificate.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
  });
});
