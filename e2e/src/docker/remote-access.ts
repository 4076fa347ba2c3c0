import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { type AddressInfo, createConnection } from "node:net";
import { join } from "node:path";
import { createServer as createTlsServer } from "node:tls";
import { CertificateAuthority } from "@interlink/cluster";
import { onTestFinished } from "vitest";
import { startDaemon, stopDaemon } from "../systems/daemon.ts";
import { freePorts } from "../systems/free-ports.ts";
import { findProgram, runProgram } from "../systems/programs.ts";
import { waitUntil } from "../systems/wait-until.ts";

/**
 * From now on `ssh://engine` reaches `dockerHost` over a real OpenSSH server, for the test that runs: with the user's own
 * ssh configuration, found in a home of its own.
 */
export async function reachBySsh(folder: string, dockerHost: string): Promise<void> {
  const port = await startSshd(folder, dockerHost);
  const config = join(folder, "config");
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
}

/**
 * The engine behind TLS that asks for certificates, as with `--tlsverify`. Not a second dockerd: that one would take the
 * bridge of the first away.
 */
export async function listenTls(certificates: string, dockerHost: string): Promise<number> {
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
export async function makeCertificates(folder: string): Promise<string> {
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
