import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { CertificateAuthority } from "@interlink/cluster";
import { type Logger, pino } from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTelemetry } from "./telemetry.ts";

const silent = pino({ level: "silent" }) as Logger;
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "interlink-spans-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** Makes one span with this environment and ends; the collector has it then. */
async function sendOne(env: Record<string, string>): Promise<void> {
  const all = { ENABLE_TRACING: "1", TELEMETRY_UNIQUE_ID: "id-7", ...env };
  await using telemetry = await startTelemetry("server", all, silent);
  telemetry.tracer?.startSpan("CreateAPI", { attributes: { "pod.uid": "uid-7" } }).end();
}

/** A collector over gRPC, which takes the bytes as they are. */
async function grpcCollector(credentials: ServerCredentials) {
  const server = new Server();
  let body = "";
  const bytes = (value: Buffer) => value;
  const Export = {
    path: "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    requestStream: false,
    responseStream: false,
    requestSerialize: bytes,
    requestDeserialize: bytes,
    responseSerialize: bytes,
    responseDeserialize: bytes,
  } as const;
  server.addService(
    { Export },
    {
      Export(call: { request: Buffer }, done: (error: null, answer: Buffer) => void) {
        body += call.request.toString("latin1");
        done(null, Buffer.alloc(0));
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", credentials, (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  return {
    endpoint: `127.0.0.1:${port}`,
    body: () => body,
    [Symbol.dispose]: () => server.forceShutdown(),
  };
}

const SENT = ["InterLink-Plugin-id-7", "CreateAPI", "pod.uid", "uid-7"];

/** On a busy machine later than a program that ends waits for. */
async function arrives(body: () => string, texts: readonly string[]): Promise<void> {
  for (const text of texts) await expect.poll(body, { timeout: 20_000 }).toContain(text);
}

test("without ENABLE_TRACING there is no tracer", async () => {
  await using telemetry = await startTelemetry("node", {}, silent);
  expect(telemetry.tracer).toBeUndefined();
});

test("spans are sent by OTLP over gRPC", async () => {
  using collector = await grpcCollector(ServerCredentials.createInsecure());
  await sendOne({ TELEMETRY_ENDPOINT: collector.endpoint });
  await arrives(collector.body, SENT);
});

test("spans are sent by OTLP over gRPC with mutual TLS", async () => {
  const now = Date.now();
  const authority = await CertificateAuthority.create("ca", now);
  const own = await authority.issue({ commonName: "collector", hosts: ["127.0.0.1"] }, now);
  const caller = await authority.issue({ commonName: "site" }, now);
  const files = { ca: authority.certificatePem, cert: caller.certificatePem, key: caller.keyPem };
  for (const [name, pem] of Object.entries(files)) {
    await writeFile(join(directory, name), pem, { mode: 0o600 });
  }
  const pair = {
    cert_chain: Buffer.from(own.certificatePem),
    private_key: Buffer.from(own.keyPem),
  };
  const ca = Buffer.from(authority.certificatePem);
  using collector = await grpcCollector(ServerCredentials.createSsl(ca, [pair], true));
  await sendOne({
    TELEMETRY_ENDPOINT: collector.endpoint,
    TELEMETRY_CA_CRT_FILEPATH: join(directory, "ca"),
    TELEMETRY_CLIENT_CRT_FILEPATH: join(directory, "cert"),
    TELEMETRY_CLIENT_KEY_FILEPATH: join(directory, "key"),
  });
  await arrives(collector.body, SENT);
});

test("spans are sent by OTLP over HTTP", async () => {
  let body = "";
  const collector = createServer((incoming, response) => {
    incoming.setEncoding("latin1").on("data", (chunk: string) => (body += chunk));
    incoming.on("end", () => response.end());
    body += incoming.url;
  }).listen(0, "127.0.0.1");
  await once(collector, "listening");
  const { port } = collector.address() as AddressInfo;
  try {
    await sendOne({ TELEMETRY_ENDPOINT: `http://127.0.0.1:${port}` });
    await arrives(() => body, ["/v1/traces", ...SENT]);
  } finally {
    collector.closeAllConnections();
    collector.close();
  }
});

test("a file that is not there stops the start, with its variable's name", async () => {
  const missing = join(directory, "missing");
  const env = {
    TELEMETRY_CA_CRT_FILEPATH: missing,
    TELEMETRY_CLIENT_CRT_FILEPATH: missing,
    TELEMETRY_CLIENT_KEY_FILEPATH: missing,
  };
  await expect(sendOne(env)).rejects.toThrow("TELEMETRY_CA_CRT_FILEPATH");
});
