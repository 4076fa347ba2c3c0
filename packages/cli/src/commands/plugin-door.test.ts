import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CertificateAuthority } from "@interlink/cluster";
import { createInterlinkClient } from "@interlink/protocol";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { CliContext } from "../cli-context.ts";
import { plugin } from "./plugin.ts";
import { server } from "./server.ts";

const TOKEN = "token-of-the-api-server-0123";
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "interlink-door-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function freePort(): Promise<number> {
  const holder = createServer().listen(0, "127.0.0.1");
  await once(holder, "listening");
  const { port } = holder.address() as AddressInfo;
  holder.close();
  await once(holder, "close");
  return port;
}

/** A command that serves, until it is disposed. */
function running(command: (context: CliContext) => Promise<void>): AsyncDisposable {
  const stop = new AbortController();
  const ended = command({ env: {}, signal: stop.signal } as CliContext);
  // Its error is told when it is disposed of.
  ended.catch(() => undefined);
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await ended;
    },
  };
}

async function file(name: string, text: string): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, text, { mode: 0o600 });
  return path;
}

test("a plugin with certificates and a file of tokens is called by the API server that has both, and by no other", async () => {
  const now = Date.now();
  const authority = await CertificateAuthority.create("site-ca", now);
  const own = await authority.issue({ commonName: "plugin", hosts: ["127.0.0.1"] }, now);
  const caller = await authority.issue({ commonName: "api-server" }, now);
  const ca = await file("ca.pem", authority.certificatePem);
  const port = await freePort();
  const flags = {
    listen: `127.0.0.1:${port}`,
    root: join(directory, "root"),
    logLevel: "silent",
    tokenFile: await file("tokens", `${TOKEN} the API server\n`),
    tlsCert: await file("cert.pem", own.certificatePem),
    tlsKey: await file("key.pem", own.keyPem),
    clientCa: ca,
    allowedSubject: ["api-*"],
  };
  const both = `SidecarTokenFile: ${await file("token", `${TOKEN}\n`)}
SidecarTLS:
  CACertFile: ${ca}
  CertFile: ${await file("caller.pem", caller.certificatePem)}
  KeyFile: ${await file("caller-key.pem", caller.keyPem)}
`;
  const site = async (name: string, text: string) => {
    const socket = join(directory, `${name}.sock`);
    const config = await file(
      `${name}.yaml`,
      `InterlinkAddress: unix://${socket}\nSidecarURL: https://127.0.0.1\nSidecarPort: ${port}\n${text}`,
    );
    const client = createInterlinkClient({ address: `unix://${socket}`, peer: "server" });
    const serving = running((context) => server({ config, logLevel: "silent" }, context));
    /** The plugin's runtime as the API server learns it, or the reason why it does not. */
    const ask = () => client.capabilities().then((told) => told?.runtime, String);
    return {
      ask,
      async [Symbol.asyncDispose]() {
        await client.close();
        await serving[Symbol.asyncDispose]();
      },
    };
  };

  await using _plugin = running((context) => plugin("process", flags, context));
  await using known = await site("known", both);
  await expect.poll(known.ask, { timeout: 30_000 }).toBe("process");

  await using stranger = await site("stranger", both.replace(/^SidecarTokenFile.*\n/, ""));
  await expect.poll(stranger.ask, { timeout: 30_000 }).toMatch(/wants a bearer token/);
  const other = await authority.issue({ commonName: "someone-else" }, now);
  const otherFile = await file("other.pem", other.certificatePem);
  const otherKey = await file("other-key.pem", other.keyPem);
  await using signed = await site(
    "signed",
    both
      .replace(/CertFile: .*caller\.pem/, `CertFile: ${otherFile}`)
      .replace(/KeyFile: .*/, `KeyFile: ${otherKey}`),
  );
  await expect.poll(signed.ask, { timeout: 30_000 }).toMatch(/not one of those that may call/);
  const naked = both.replace(/ {2}CertFile[^]*/, "");
  await using without = await site("without", naked);
  await expect.poll(without.ask, { timeout: 30_000 }).toMatch(/certificate|closed|reset/i);
}, 120_000);

test("an API server holds callers to the namespaces of their certificates' names, and lets in no other name", async () => {
  const now = Date.now();
  const authority = await CertificateAuthority.create("site-ca", now);
  const own = await authority.issue({ commonName: "api", hosts: ["127.0.0.1"] }, now);
  const port = await freePort();
  const ca = await file("server-ca.pem", authority.certificatePem);
  const config = await file(
    "subjects.yaml",
    `InterlinkAddress: https://127.0.0.1
InterlinkPort: "${port}"
SidecarURL: unix://${join(directory, "nobody.sock")}
TLS:
  Enabled: true
  CertFile: ${await file("server.pem", own.certificatePem)}
  KeyFile: ${await file("server-key.pem", own.keyPem)}
  CACertFile: ${ca}
AllowedSubjects:
  node-of-lab: [lab]
`,
  );
  await using _server = running((context) => server({ config, logLevel: "silent" }, context));
  const statusOf = async (commonName: string, namespace: string) => {
    const { certificatePem: cert, keyPem: key } = await authority.issue({ commonName }, now);
    const tls = { ca: authority.certificatePem, cert, key };
    const address = `https://127.0.0.1:${port}`;
    await using client = createInterlinkClient({ address, peer: "server", tls });
    const metadata = { name: "p", namespace, uid: "4f6c1a1e-0d5a-4d0e-9c0b-2b7c1de0a001" };
    return await client.delete({ metadata }).then(
      () => "deleted",
      ({ code, message }: Error & { code: string }) => `${code} ${message}`,
    );
  };
  const asked = (name: string, namespace: string) => () => statusOf(name, namespace);
  // The plugin is away: whoever is let in hears that.
  await expect.poll(asked("node-of-lab", "lab"), { timeout: 30_000 }).toMatch(/connect ENOENT/);
  expect(await statusOf("node-of-lab", "other")).toMatch(/do not reach namespace other/);
  expect(await statusOf("node-of-other", "lab")).toMatch(/not one of those that may call/);
}, 60_000);

test("subjects without an authority of certificates stop the start", async () => {
  const context = { env: {}, signal: new AbortController().signal } as CliContext;
  const text = "SidecarURL: http://127.0.0.1\nSidecarPort: '1'\nAllowedSubjects: { a: ['*'] }\n";
  const config = await file("no-ca.yaml", text);
  await expect(server({ config, logLevel: "silent" }, context)).rejects.toThrow("TLS.CACertFile");
  const flags = { root: join(directory, "other"), logLevel: "silent", allowedSubject: ["a"] };
  await expect(plugin("process", flags, context)).rejects.toThrow("--client-ca");
});

test.each([
  [{ listen: "0.0.0.0:0" }, "Who may run pods"],
  [{ listen: "127.0.0.1:0", tlsCert: "x" }, "both --tls-cert and --tls-key"],
  [{ listen: "unix:///x.sock", socketMode: "rw" }, "no mode of a socket file"],
])("a plugin told %j does not start", async (flags, words) => {
  const context = { env: {}, signal: new AbortController().signal } as CliContext;
  const all = { root: join(directory, "other"), logLevel: "silent", ...flags };
  await expect(plugin("process", all, context)).rejects.toThrow(words);
});
