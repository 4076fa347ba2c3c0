import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import type { Duplex } from "node:stream";
import { createKubeClient, type KubeClient, loadKubeCredentials } from "@interlink/kube";
import { FakeApiServer } from "@interlink/kube/testing";
import type { Pod } from "kubernetes-types/core/v1.js";
import { pino } from "pino";
import { Registry } from "prom-client";
import { WebSocket } from "ws";
import { createAuthenticator } from "../kubelet-api/authentication.ts";
import { createAuthorizer } from "../kubelet-api/authorization.ts";
import type { KubeletBackend } from "../kubelet-api/backend.ts";
import {
  type KubeletApi,
  type KubeletTiming,
  startKubeletApi,
} from "../kubelet-api/kubelet-api.ts";
import { selfSignedCertificate } from "../kubelet-api/serving-certificate.ts";
import { binaryMessages } from "./binary-messages.ts";
import { testAuthority } from "./certificates.ts";
import { noStreams } from "./fake-kubelet-backend.ts";
import { SpdyClient } from "./spdy-client.ts";

export interface KubeletAnswer {
  status: number;
  text: string;
  headers: IncomingMessage["headers"];
}

export const webSocketHeaders = {
  connection: "Upgrade",
  upgrade: "websocket",
  "sec-websocket-version": "13",
  "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
};

interface Asking {
  method?: string;
  headers?: Record<string, string | string[]>;
  /** Nobody knows the sender. */
  anonymous?: boolean;
}

/** A kubelet API on a port of its own, over a cluster and a site that the test plays. */
export class KubeletWorld implements AsyncDisposable {
  readonly api: KubeletApi;
  /** Paths of reviews that the cluster answered, as `verb subresource`. */
  readonly reviews: string[] = [];
  allow: (subresource: string) => boolean = () => true;
  readonly #fake: FakeApiServer;
  readonly #client: KubeClient;
  readonly #credentials: { cert: string; key: string };
  readonly #sockets: Duplex[] = [];

  private constructor(
    fake: FakeApiServer,
    client: KubeClient,
    credentials: { cert: string; key: string },
    api: KubeletApi,
  ) {
    this.#fake = fake;
    this.#client = client;
    this.#credentials = credentials;
    this.api = api;
    fake.answer("/apis/authorization.k8s.io/v1/subjectaccessreviews", (body) => {
      const { spec } = body as {
        spec: { resourceAttributes: { verb: string; subresource: string } };
      };
      const { verb, subresource } = spec.resourceAttributes;
      this.reviews.push(`${verb} ${subresource}`);
      return { status: { allowed: this.allow(subresource) } };
    });
  }

  static async start(
    pods: readonly Pod[],
    backend: Partial<KubeletBackend>,
    timing: Partial<KubeletTiming> = {},
    maxStreamConnections?: number,
  ): Promise<KubeletWorld> {
    const authority = await testAuthority("cluster");
    const fake = await FakeApiServer.start();
    const credentials = await loadKubeCredentials({ kubeconfigYaml: fake.kubeconfigYaml });
    const client = createKubeClient(credentials);
    const api = await startKubeletApi({
      host: "127.0.0.1",
      port: 0,
      certificate: await selfSignedCertificate("n", ["127.0.0.1"], new Date()),
      clientCaPem: authority.caPem,
      authenticate: createAuthenticator(client),
      authorize: createAuthorizer(client, "n"),
      backend: {
        pods: () => [...pods],
        pod: (namespace, name) =>
          pods.find(({ metadata }) => metadata?.namespace === namespace && metadata.name === name),
        logs: () => {
          throw new Error("no logs in this test");
        },
        ...noStreams,
        ...backend,
      },
      node: {
        name: "n",
        startTime: "2026-01-01T00:00:00Z",
        capacity: () => ({ cpu: "4", memory: "8Gi", pods: "110" }),
      },
      metrics: new Registry(),
      logger: pino({ level: "silent" }),
      timing,
      ...(maxStreamConnections === undefined ? {} : { maxStreamConnections }),
    });
    const admin = await authority.client("apiserver", ["system:masters"]);
    return new KubeletWorld(fake, client, admin, api);
  }

  /** An ordinary request; also one that asks for an upgrade and is refused. */
  async ask(path: string, asking: Asking = {}): Promise<KubeletAnswer> {
    const answer = await this.#send(path, asking);
    if ("socket" in answer) throw new Error(`${path} was upgraded`);
    return answer;
  }

  async spdy(
    path: string,
    protocols: readonly string[],
  ): Promise<SpdyClient & { protocol: string }> {
    const headers = {
      connection: "Upgrade",
      upgrade: "SPDY/3.1",
      "x-stream-protocol-version": [...protocols],
    };
    const answer = await this.#send(path, { method: "POST", headers });
    if (!("socket" in answer)) throw new Error(`${answer.status} ${answer.text}`);
    const client = new SpdyClient(answer.socket);
    const protocol = String(answer.headers["x-stream-protocol-version"]);
    return Object.assign(client, { protocol });
  }

  /** A WebSocket of a subprotocol that the library does not know how to ask for, as the bytes in its messages. */
  async tunnel(path: string, subprotocol: string): Promise<Duplex> {
    const headers = { ...webSocketHeaders, "sec-websocket-protocol": subprotocol };
    const answer = await this.#send(path, { headers });
    if (!("socket" in answer)) throw new Error(`${answer.status} ${answer.text}`);
    if (answer.headers["sec-websocket-protocol"] !== subprotocol) throw new Error("not agreed on");
    return binaryMessages(answer.socket);
  }

  webSocket(path: string, protocols: readonly string[]): WebSocket {
    const { port } = this.api;
    const socket = new WebSocket(`wss://127.0.0.1:${port}${path}`, [...protocols], {
      ...this.#credentials,
      rejectUnauthorized: false,
    });
    socket.on("error", () => undefined);
    return socket;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await this.api.close();
    await this.#client.close();
    await this.#fake[Symbol.asyncDispose]();
  }

  #send(
    path: string,
    { method = "GET", headers = {}, anonymous = false }: Asking,
  ): Promise<KubeletAnswer | { socket: Duplex; headers: IncomingMessage["headers"] }> {
    return new Promise((resolve, reject) => {
      const sent = request({
        host: "127.0.0.1",
        port: this.api.port,
        path,
        method,
        headers: { ...headers, ...(method === "POST" ? { "content-length": "0" } : {}) },
        rejectUnauthorized: false,
        agent: false,
        ...(anonymous ? {} : this.#credentials),
      });
      sent.on("error", reject);
      sent.on("upgrade", (response, socket, head) => {
        this.#sockets.push(socket);
        if (head.length > 0) socket.unshift(head);
        resolve({ socket, headers: response.headers });
      });
      sent.on("response", (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, text, headers: response.headers }),
        );
      });
      sent.end();
    });
  }
}
