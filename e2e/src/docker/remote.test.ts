import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer as createTlsServer } from "node:tls";
import { CertificateAuthority } from "@interlink/cluster";
import { EngineClient, isEngineError, parseDockerHost } from "@interlink/plugin-docker";
import { expect, it, onTestFinished } from "vitest";
import { startDaemon, stopDaemon } from "../systems/daemon.ts";
import { describeDocker } from "../systems/describe-system.ts";
import { freePorts } from "../systems/free-ports.ts";
import { findProgram, runProgram } from "../systems/programs.ts";
import { waitUntil } from "../systems/wait-until.ts";

const signal = new AbortController().signal;

describeDocker("an engine on another machine", (docker) => {
  const why = findProgram("sshd") === undefined ? " [skipped: no sshd (openssh-server)]" : "";

  it.skipIf(why !== "")(`answers over ssh, as the docker command reaches it${why}`, async () => {
    const folder = temporary();
    const port = await startSshd(folder, docker.host);
    const config = join(folder, "config");
    // The user's own ssh configuration, found in a home of its own.
    writeFileSync(
      config,
      `Host engine\n  HostName 127.0.0.1\n  Port ${port}\n  IdentityFile ${join(folder, "key")}\n` +
        `  UserKnownHostsFile ${join(folder, "known")}\n  StrictHostKeyChecking accept-new\n  User root\n`,
    );
    writeFileSync(join(folder, "ssh"), `#!/bin/sh\nexec /usr/bin/ssh -F ${config} "$@"\n`, {
      mode: 0o755,
    });
    const path = process.env["PATH"] ?? "";
    process.env["PATH"] = `${folder}:${path}`;
    onTestFinished(() => void (process.env["PATH"] = path));

    await using engine = new EngineClient(parseDockerHost("ssh://engine"));
    const local = new EngineClient(parseDockerHost(docker.host));
    await using _local = local;
    const info = (client: EngineClient) =>
      client.json<{ ID: string }>({ method: "GET", path: "/info", signal });
    expect((await info(engine)).ID).toBe((await info(local)).ID);
    const many = await Promise.all(Array.from({ length: 30 }, () => info(engine)));
    expect(many).toHaveLength(30);

    await using wrong = new EngineClient(parseDockerHost("ssh://nobody@engine"));
    const error = await info(wrong).catch((failure: unknown) => failure);
    expect(isEngineError(error, "unreachable")).toBe(true);
    expect(String(error)).toMatch(/ssh:\/\/nobody@engine does not answer .*ssh says: .*denied/s);
  });

  it("answers over TLS, to those with its certificate", async () => {
    const folder = temporary();
    const certificates = await makeCertificates(folder);
    const host = `tcp://127.0.0.1:${await listenTls(certificates, docker.host)}`;
    const env = { DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: certificates };
    await using engine = new EngineClient(parseDockerHost(host, env));
    expect(await engine.json({ method: "GET", path: "/info", signal })).toMatchObject({
      OSType: "linux",
    });
    const others = { ...env, DOCKER_CERT_PATH: await makeCertificates(join(folder, "other")) };
    await using stranger = new EngineClient(parseDockerHost(host, others));
    await expect(stranger.version()).rejects.toMatchObject({ code: "unreachable" });
  });
});

/**
 * The engine behind TLS that asks for certificates, as with `--tlsverify`. Not a second dockerd: that one would take the
 * bridge of the first away.
 */
async function listenTls(certificates: string, dockerHost: string): Promise<number> {
  const read = (name: string) => readFileSync(join(certificates, `${name}.pem`));
  const options = {
    ca: read("ca"),
    cert: read("server-cert"),
    key: read("server-key"),
    requestCert: true,
  };
  const server = createTlsServer(options, (near) => {
    const far = createConnection(new URL(dockerHost).pathname);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on("error", () => to.destroy());
      from.pipe(to);
    }
  });
  server.listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), "interlink-remote-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A real OpenSSH server on loopback, that takes one key; behind it `docker` is at `dockerHost`. */
async function startSshd(folder: string, dockerHost: string): Promise<number> {
  const [port = 0] = await freePorts(1);
  for (const name of ["host", "key"]) {
    await runProgram("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(folder, name)]);
  }
  const files = { pidFile: join(folder, "sshd.pid"), logFile: join(folder, "sshd.log") };
  mkdirSync("/run/sshd", { recursive: true });
  writeFileSync(
    join(folder, "sshd_config"),
    `Port ${port}\nListenAddress 127.0.0.1\nHostKey ${join(folder, "host")}\nUsePAM no\n` +
      `PidFile none\nStrictModes no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n` +
      `AuthorizedKeysFile ${join(folder, "key.pub")}\nSetEnv DOCKER_HOST=${dockerHost}\n`,
  );
  const sshd = findProgram("sshd") ?? "";
  startDaemon(sshd, ["-D", "-e", "-f", join(folder, "sshd_config")], files);
  onTestFinished(() => stopDaemon(files.pidFile, "sshd"));
  await waitUntil("sshd listens", () =>
    runProgram("ssh-keyscan", ["-p", String(port), "127.0.0.1"]).then((keys) => keys.length > 0),
  );
  return port;
}

/** A CA, and certificates of it for a server at 127.0.0.1 and for who may ask it. */
async function makeCertificates(folder: string): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const authority = await CertificateAuthority.create("test-ca", Date.now());
  const server = await authority.issue({ commonName: "engine", hosts: ["127.0.0.1"] }, Date.now());
  const client = await authority.issue({ commonName: "client" }, Date.now());
  const write = (name: string, text: string) =>
    writeFileSync(join(folder, `${name}.pem`), text, { mode: 0o600 });
  write("ca", authority.certificatePem);
  write("cert", client.certificatePem);
  write("key", client.keyPem);
  write("server-cert", server.certificatePem);
  write("server-key", server.keyPem);
  return folder;
}
