import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Cluster, startCluster } from "../cluster.ts";
import { ApiClient } from "../testing/api-client.ts";
import { type FakeKubelet, fakeKubelet } from "../testing/fake-kubelet.ts";
import { nodeObject, podObject } from "../testing/objects.ts";

const pods = "/api/v1/namespaces/default/pods";
const spdy = { upgrade: "SPDY/3.1", "x-stream-protocol-version": ["v4.k8s.io", "v3.k8s.io"] };

let cluster: Cluster;
let admin: ApiClient;
let kubelet: FakeKubelet;
let requests: IncomingMessage[];
let opened: (socket: Duplex) => void;

beforeAll(async () => {
  cluster = await startCluster();
  admin = new ApiClient(cluster.kubeconfigYaml);
  kubelet = await fakeKubelet(
    cluster.clientCaPem,
    (request, response) => {
      requests.push(request);
      let body = "";
      request.on("data", (chunk: Buffer) => (body += chunk.toString("utf8")));
      request.on("end", () => {
        const isRefusal = request.headers.upgrade !== undefined;
        response.writeHead(isRefusal ? 404 : 202, { "x-said": "kubelet" });
        response.end(`${request.method} ${body}`);
      });
    },
    (request, socket) => {
      requests.push(request);
      if (request.url?.includes("refused") === true) {
        socket.end("HTTP/1.1 404 Not Found\r\ncontent-length: 10\r\n\r\nno process");
        return;
      }
      socket.write(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\nX-Agreed: v4\r\n\r\n",
      );
      opened(socket);
    },
  );
  await admin.post("/api/v1/nodes", nodeObject("n", { port: kubelet.port }));
  await admin.post(pods, podObject("p", { nodeName: "n" }));
  await admin.post(pods, podObject("unbound", { schedulerName: "none" }));
});
afterAll(async () => {
  await kubelet[Symbol.asyncDispose]();
  await cluster.close();
});

let sockets: Duplex[];
beforeEach(() => {
  requests = [];
  sockets = [];
  opened = (socket) => void socket.on("error", () => undefined).pipe(socket);
});
afterEach(() => {
  for (const socket of sockets) socket.destroy();
});

async function upgrade(method: string, path: string) {
  const answer = await admin.upgrade(method, path, spdy);
  sockets.push(answer.socket);
  return answer;
}

async function readAll(socket: Duplex): Promise<string> {
  const parts: Buffer[] = [];
  socket.on("data", (part: Buffer) => parts.push(part));
  await once(socket, "end");
  return Buffer.concat(parts).toString();
}

describe("an upgrade of a pod's stream", () => {
  test.each([
    [
      "exec",
      "command=sh&command=-c&command=a+b&stdin=true&stdout=true&stderr=false&tty=1&container=main",
      "/exec/default/p/main?input=1&output=1&tty=1&command=sh&command=-c&command=a+b",
    ],
    ["attach", "stdout=true&stderr=1", "/attach/default/p/main?output=1&error=1"],
    ["portforward", "", "/portForward/default/p"],
    ["portforward", "ports=80,90&ports=7", "/portForward/default/p?port=80%2C90%2C7"],
  ])("%s goes to the kubelet in its own words", async (what, query, path) => {
    const { head } = await upgrade("POST", `${pods}/p/${what}?${query}`);
    expect(head.headers["x-agreed"]).toBe("v4");
    expect(kubelet.asked.at(-1)).toBe(path);
    const [request] = requests;
    expect(request?.method).toBe("POST");
    expect(request?.headersDistinct["x-stream-protocol-version"]).toEqual([
      "v4.k8s.io",
      "v3.k8s.io",
    ]);
    expect(request?.headers).toMatchObject({ upgrade: "SPDY/3.1", connection: "Upgrade" });
  });

  test("carries bytes both ways, and all that was said before the end", async () => {
    const size = 3_000_000;
    opened = (socket) => void socket.end(Buffer.alloc(size, "x"));
    const { socket } = await upgrade("GET", `${pods}/p/exec?command=a&stdout=1`);
    expect(await readAll(socket)).toHaveLength(size);
    opened = (inKubelet) => void inKubelet.on("error", () => undefined).pipe(inKubelet);
    const { socket: echo } = await upgrade("POST", `${pods}/p/attach?stdout=1`);
    echo.write("hello");
    expect(String((await once(echo, "data"))[0])).toBe("hello");
  });

  test("ends at the kubelet when the client leaves", async () => {
    const left = new Promise<void>((resolve) => {
      opened = (socket) =>
        void socket
          .on("error", () => undefined)
          .on("close", resolve)
          .resume();
    });
    const { socket } = await upgrade("POST", `${pods}/p/portforward`);
    socket.destroy();
    await left;
  });

  test("does not show the kubelet the sender's token", async () => {
    const bearer = new ApiClient(
      await cluster.credentialsFor({ namespace: "default", serviceAccount: "default" }),
    );
    await admin.post("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", {
      metadata: { name: "all" },
      roleRef: {
        apiGroup: "rbac.authorization.k8s.io",
        kind: "ClusterRole",
        name: "cluster-admin",
      },
      subjects: [{ kind: "ServiceAccount", namespace: "default", name: "default" }],
    });
    await bearer.call("GET", "/api/v1/nodes/n/proxy/pods");
    expect(requests).toHaveLength(1);
    expect(requests[0]?.headers.authorization).toBeUndefined();
  });

  test("that the kubelet refuses is refused with its words", async () => {
    const path = `${pods}/p/exec?command=refused&stdout=1`;
    await expect(admin.upgrade("POST", path, spdy)).rejects.toThrow("404: no process");
  });

  test.each([
    ["nothing/exec", 'pods \\"nothing\\" not found'],
    ["unbound/exec", "does not have a host assigned"],
    ["p/exec?container=other", "container other is not valid for pod p"],
  ])("%s is refused before any kubelet is asked", async (path, message) => {
    await expect(admin.upgrade("POST", `${pods}/${path}`, spdy)).rejects.toThrow(message);
    expect(requests).toEqual([]);
  });

  test("is for those who may", async () => {
    const stranger = new ApiClient(await cluster.credentialsFor({ user: "stranger" }));
    for (const path of [`${pods}/p/exec?command=a`, "/api/v1/nodes/n/proxy/exec/default/p/main"])
      await expect(stranger.upgrade("POST", path, spdy)).rejects.toThrow("cannot create");
    const nobody = new ApiClient(cluster.kubeconfigYaml, { credentials: false });
    await expect(nobody.upgrade("POST", `${pods}/p/exec`, spdy)).rejects.toThrow("403");
    expect(requests).toEqual([]);
  });

  test("tells that the kubelet cannot be reached", async () => {
    await admin.post("/api/v1/nodes", nodeObject("gone", { port: 1 }));
    await admin.post(pods, podObject("lost", { nodeName: "gone" }));
    const path = `${pods}/lost/exec?command=a&stdout=1`;
    await expect(admin.upgrade("POST", path, spdy)).rejects.toThrow("error dialing backend");
  });

  test("of anything else is answered as an ordinary request", async () => {
    await expect(admin.upgrade("GET", "/healthz", spdy)).rejects.toThrow("200: ok");
  });
});

describe("nodes/proxy", () => {
  test("hands on any method, the body and the answer", async () => {
    const { code, text, headers } = await admin.call(
      "POST",
      "/api/v1/nodes/n/proxy/run/default/p/main?cmd=a%20b",
      { raw: "hello" },
    );
    expect([code, text, headers["x-said"]]).toEqual([202, "POST hello", "kubelet"]);
    expect(kubelet.asked.at(-1)).toBe("/run/default/p/main?cmd=a%20b");
  });

  test("names the port if need be, and upgrades too", async () => {
    const path = `/api/v1/nodes/n:${kubelet.port}/proxy/exec/default/p/main?command=a`;
    const { socket } = await upgrade("POST", path);
    socket.write("echo");
    expect(String((await once(socket, "data"))[0])).toBe("echo");
  });
});

describe("pods/proxy", () => {
  test("is an HTTP server in the pod", async () => {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      response.end("from the pod");
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const status = { status: { podIP: "127.0.0.1" } };
    await admin.patch(`${pods}/p/status`, "application/merge-patch+json", status);
    for (const name of [`p:${port}`, `http:p:${port}`]) {
      const { text } = await admin.get(`${pods}/${name}/proxy/a/b?c=d`);
      expect(text).toBe("from the pod");
    }
    expect(asked).toEqual(["GET /a/b?c=d", "GET /a/b?c=d"]);
    await new Promise((resolve) => server.close(resolve));
    const { code, body } = await admin.get(`${pods}/p:${port}/proxy/`);
    expect(code).toBe(503);
    expect(body.message).toContain("connection refused");
  });

  test("needs a pod with an address, and a port that is one", async () => {
    expect((await admin.get(`${pods}/unbound/proxy/`)).body.message).toContain("no IP");
    expect((await admin.get(`${pods}/ftp:p:1/proxy/`)).code).toBe(400);
    expect((await admin.get(`${pods}/p:none/proxy/`)).code).toBe(400);
    expect((await admin.get(`${pods}/missing/proxy/`)).code).toBe(404);
  });
});
