import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  engineAddresses,
  likelyEngineAddress,
  parseDockerHost,
  showAddress,
} from "./engine-address.ts";
import { type SshTarget, sshArguments } from "./ssh-tunnel.ts";

describe("parseDockerHost", () => {
  it.each([
    ["unix:///run/x.sock", { kind: "unix", path: "/run/x.sock" }],
    ["/run/x.sock", { kind: "unix", path: "/run/x.sock" }],
    ["tcp://host:1234", { kind: "tcp", origin: "http://host:1234" }],
    ["tcp://host", { kind: "tcp", origin: "http://host:2375" }],
    ["host:1234", { kind: "tcp", origin: "http://host:1234" }],
    ["http://host:1234", { kind: "tcp", origin: "http://host:1234" }],
    ["ssh://host", { kind: "ssh", target: { host: "host" } }],
    [
      "ssh://me@host:22/run/x.sock",
      { kind: "ssh", target: { host: "host", user: "me", port: 22, path: "/run/x.sock" } },
    ],
    ["ssh://[::1]:2222", { kind: "ssh", target: { host: "::1", port: 2222 } }],
    ["tcp://[::1]:1234", { kind: "tcp", origin: "http://[::1]:1234" }],
  ])("reads %s", (text, address) => {
    expect(parseDockerHost(text)).toEqual(address);
  });

  it.each([
    "unix://relative",
    "ssh://",
    "ssh://me:word@host",
    "ssh://-oProxyCommand=x",
    "ssh://host/a;b",
    "npipe:////./pipe/x",
    "http://",
    "://",
  ])("refuses %s with a sentence", (text) => {
    expect(() => parseDockerHost(text)).toThrow(/Docker host ".*" (needs|cannot|is not|has)/);
  });

  it("reads the certificates for TLS where the docker command looks for them", () => {
    const folder = mkdtempSync(join(tmpdir(), "certs-"));
    const env = { DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: folder };
    expect(() => parseDockerHost("tcp://host", env)).toThrow(/needs ca.pem in .*DOCKER_CERT_PATH/);
    for (const name of ["ca", "cert", "key"]) writeFileSync(join(folder, `${name}.pem`), name);
    expect(parseDockerHost("tcp://host", env)).toEqual({
      kind: "tcp",
      origin: "https://host:2376",
      tls: { ca: "ca", cert: "cert", key: "key" },
    });
    rmSync(folder, { recursive: true });
  });
});

it("shows an address as DOCKER_HOST has it", () => {
  for (const text of ["unix:///a", "ssh://me@[::1]:22/a.sock", "ssh://host"]) {
    expect(showAddress(parseDockerHost(text))).toBe(text);
  }
});

it("gives ssh nothing of an address as an option", () => {
  const { target } = parseDockerHost("ssh://me@host:2222") as { target: SshTarget };
  expect(sshArguments(target).slice(-8)).toEqual([
    "me",
    "-p",
    "2222",
    "--",
    "host",
    "docker",
    "system",
    "dial-stdio",
  ]);
});

describe("engineAddresses", () => {
  it("tries nothing but DOCKER_HOST when it is set", () => {
    expect(engineAddresses({ DOCKER_HOST: "unix:///a.sock" }).map(showAddress)).toEqual([
      "unix:///a.sock",
    ]);
  });

  it("tries the usual sockets of Docker, then Podman", () => {
    const env = { HOME: "/home/u", XDG_RUNTIME_DIR: "/run/user/1" };
    expect(engineAddresses(env).map(showAddress)).toEqual([
      "unix:///var/run/docker.sock",
      "unix:///home/u/.docker/run/docker.sock",
      "unix:///run/user/1/docker.sock",
      "unix:///run/user/1/podman/podman.sock",
      "unix:///run/podman/podman.sock",
    ]);
  });

  it("prefers a socket that exists", () => {
    const folder = mkdtempSync(join(tmpdir(), "sockets-"));
    writeFileSync(join(folder, "docker.sock"), "");
    const found = likelyEngineAddress({ HOME: "/none", XDG_RUNTIME_DIR: folder });
    // A machine with Docker has the first one, too.
    expect(["unix:///var/run/docker.sock", `unix://${folder}/docker.sock`]).toContain(
      showAddress(found),
    );
    rmSync(folder, { recursive: true });
  });
});
