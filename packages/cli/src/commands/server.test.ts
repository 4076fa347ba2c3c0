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
import { server } from "./server.ts";

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "interlink-server-"));
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

/** `interlink server` by a configuration file, until it is disposed. */
async function serving(file: string): Promise<AsyncDisposable> {
  const stop = new AbortController();
  const context = { env: {}, signal: stop.signal } as CliContext;
  const ended = server({ config: file, logLevel: "silent" }, context);
  // Its error is told when it is disposed of.
  ended.catch(() => undefined);
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await ended;
    },
  };
}

test("an API server by an existing file serves TLS, and only to those who show a certificate of its authority", async () => {
  const now = Date.now();
  const authority = await CertificateAuthority.create("site-ca", now);
  const own = await authority.issue({ commonName: "site", hosts: ["127.0.0.1"] }, now);
  const caller = await authority.issue({ commonName: "node" }, now);
  const stranger = await (await CertificateAuthority.create("other-ca", now)).issue(
    { commonName: "node" },
    now,
  );
  const files = { cert: own.certificatePem, key: own.keyPem, ca: authority.certificatePem };
  for (const [name, pem] of Object.entries(files)) {
    await writeFile(join(directory, `${name}.pem`), pem, { mode: 0o600 });
  }
  const plugin = createServer((_, response) => response.end("[]")).listen(0, "127.0.0.1");
  await once(plugin, "listening");
  const port = await freePort();
  const file = join(directory, "InterLinkConfig.yaml");
  await writeFile(
    file,
    `
InterlinkAddress: https://127.0.0.1
InterlinkPort: "${port}"
SidecarURL: http://127.0.0.1
SidecarPort: ${(plugin.address() as AddressInfo).port}
TLS:
  Enabled: true
  CertFile: ${directory}/cert.pem
  KeyFile: ${directory}/key.pem
  CACertFile: ${directory}/ca.pem
`,
  );

  try {
    await using _serving = await serving(file);
    const ping = async (tls: { cert?: string; key?: string }) => {
      const client = createInterlinkClient({
        address: `https://127.0.0.1:${port}`,
        peer: "server",
        tls: { ca: authority.certificatePem, ...tls },
      });
      try {
        return await client.ping({ signal: AbortSignal.timeout(30_000) });
      } finally {
        await client.close();
      }
    };
    const known = { cert: caller.certificatePem, key: caller.keyPem };
    await expect.poll(() => ping(known)).toBeDefined();
    await expect(ping({})).rejects.toThrow(/certificate|closed|reset/i);
    const unknown = { cert: stranger.certificatePem, key: stranger.keyPem };
    await expect(ping(unknown)).rejects.toThrow(/certificate|closed|reset|unknown ca/i);
  } finally {
    plugin.close();
  }
});

test("an API server with a file of tokens wants one of them, and names a file that has none", async () => {
  const tokens = join(directory, "tokens");
  const address = `unix://${directory}/server.sock`;
  const run = (flags: object) => {
    const stop = new AbortController();
    const context = { env: {}, signal: stop.signal } as CliContext;
    const needed = { plugin: "http://127.0.0.1:9", listen: address, logLevel: "silent" };
    return { stop, ended: server({ ...needed, tokenFile: tokens, ...flags }, context) };
  };
  await expect(run({}).ended).rejects.toThrow(/--token-file: cannot read .*there is no such file/);
  await writeFile(tokens, "short\n", { mode: 0o600 });
  await expect(run({}).ended).rejects.toThrow(/has no token/);

  const token = "a-token-0123456789";
  await writeFile(tokens, `${token} the lab\n`);
  const { stop, ended } = run({});
  const ask = async (options: object) => {
    const client = createInterlinkClient({ address, peer: "server", ...options });
    try {
      return await client.capabilities({ signal: AbortSignal.timeout(30_000) });
    } finally {
      await client.close();
    }
  };
  try {
    const told = (options: object) => ask(options).catch((error: Error) => error.message);
    // Let in, it comes to the plugin, which is not there.
    const known = () => told({ token: () => token });
    await expect.poll(known).toMatch(/ECONNREFUSED 127\.0\.0\.1:9/);
    expect(await told({})).toMatch(/wants a bearer token/);
    expect(await told({ token: () => "another-token-0123" })).toMatch(/does not know/);
  } finally {
    stop.abort();
    await ended;
  }
});

test("a template of job scripts that is wrong stops the start with its place", async () => {
  const template = join(directory, "job.tmpl");
  const file = join(directory, "with-template.yaml");
  const start = async (value: string) => {
    await writeFile(file, `SidecarURL: http://127.0.0.1:9\nJobScriptTemplate: ${value}\n`);
    const context = { env: {}, signal: new AbortController().signal } as CliContext;
    return server({ config: file, logLevel: "silent" }, context);
  };
  await expect(start(template)).rejects.toThrow(/JobScriptTemplate: ENOENT/);
  await writeFile(template, "#!/bin/sh\n{{.Pod.Nmae}}\n");
  await expect(start(template)).rejects.toThrow(`${template}:2:3: Pod has no field Nmae`);
  await expect(start('"#!/bin/sh\\n"')).rejects.toThrow(/wants the name of a file/);
});
