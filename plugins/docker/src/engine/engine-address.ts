import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { parseSshHost, type SshTarget } from "./ssh-tunnel.ts";

/** Where an Engine API answers. */
export type EngineAddress =
  | { kind: "unix"; path: string }
  | { kind: "ssh"; target: SshTarget }
  | { kind: "tcp"; origin: string; tls?: { ca: string; cert: string; key: string } };

/** Variables that the docker command reads, too. */
export type DockerEnvironment = Partial<
  Record<
    "DOCKER_HOST" | "DOCKER_TLS_VERIFY" | "DOCKER_CERT_PATH" | "XDG_RUNTIME_DIR" | "HOME",
    string
  >
>;

/**
 * Reads a `DOCKER_HOST` as the docker command does: `unix:///path`, `tcp://host:port`, with TLS when
 * `DOCKER_TLS_VERIFY` is set or the scheme is `https`, and `ssh://[user@]host[:port]`. Throws a sentence on anything else.
 */
export function parseDockerHost(text: string, env: DockerEnvironment = {}): EngineAddress {
  if (text.startsWith("unix://")) {
    const path = text.slice("unix://".length);
    if (!path.startsWith("/")) {
      throw new Error(`Docker host "${text}" needs an absolute path: unix:///var/run/docker.sock.`);
    }
    return { kind: "unix", path };
  }
  if (text.startsWith("/")) return { kind: "unix", path: text };
  let url: URL;
  try {
    url = new URL(text.includes("://") ? text : `tcp://${text}`);
  } catch (cause) {
    throw new Error(
      `Docker host "${text}" is not an address: use unix:///path or tcp://host:port.`,
      {
        cause,
      },
    );
  }
  if (url.protocol === "ssh:" && url.hostname !== "") {
    return { kind: "ssh", target: parseSshHost(text, url) };
  }
  if (!["tcp:", "http:", "https:"].includes(url.protocol) || url.hostname === "") {
    throw new Error(
      `Docker host "${text}" cannot be used: only unix:///path, tcp://host:port and ssh://user@host are.`,
    );
  }
  const secure = url.protocol === "https:" || (env.DOCKER_TLS_VERIFY ?? "") !== "";
  const port = url.port === "" ? (secure ? "2376" : "2375") : url.port;
  if (!secure) return { kind: "tcp", origin: `http://${url.hostname}:${port}` };
  const folder = env.DOCKER_CERT_PATH ?? join(env.HOME ?? homedir(), ".docker");
  const pem = (name: string): string => {
    try {
      return readFileSync(join(folder, name), "utf8");
    } catch (cause) {
      throw new Error(
        `TLS to the Docker host "${text}" needs ${name} in ${folder} (set DOCKER_CERT_PATH).`,
        { cause },
      );
    }
  };
  return {
    kind: "tcp",
    origin: `https://${url.hostname}:${port}`,
    tls: { ca: pem("ca.pem"), cert: pem("cert.pem"), key: pem("key.pem") },
  };
}

/**
 * Addresses to try in order: `DOCKER_HOST` alone if it is set, else the usual sockets of Docker (also rootless and
 * Docker Desktop) and of Podman.
 */
export function engineAddresses(env: DockerEnvironment): EngineAddress[] {
  if (env.DOCKER_HOST !== undefined && env.DOCKER_HOST !== "") {
    return [parseDockerHost(env.DOCKER_HOST, env)];
  }
  const home = env.HOME ?? homedir();
  const runtime = env.XDG_RUNTIME_DIR;
  return [
    "/var/run/docker.sock",
    join(home, ".docker/run/docker.sock"),
    ...(runtime ? [join(runtime, "docker.sock"), join(runtime, "podman/podman.sock")] : []),
    "/run/podman/podman.sock",
  ].map((path) => ({ kind: "unix", path }));
}

/** As `DOCKER_HOST` would have it; for messages. */
export function showAddress(address: EngineAddress): string {
  if (address.kind === "unix") return `unix://${address.path}`;
  if (address.kind === "tcp") return address.origin;
  const { host, user, port, path = "" } = address.target;
  const name = host.includes(":") ? `[${host}]` : host;
  return `ssh://${user === undefined ? "" : `${user}@`}${name}${port === undefined ? "" : `:${port}`}${path}`;
}

/** The first of {@link engineAddresses} whose socket exists; the first one if none does. */
export function likelyEngineAddress(env: DockerEnvironment): EngineAddress {
  const addresses = engineAddresses(env);
  const found = addresses.find((one) => one.kind !== "unix" || existsSync(one.path));
  return found ?? addresses[0] ?? { kind: "unix", path: "/var/run/docker.sock" };
}
