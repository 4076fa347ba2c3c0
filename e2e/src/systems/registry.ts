import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { request } from "undici";
import { cacheFolder } from "./cache-folder.ts";
import { daemonPid, logTail, startDaemon, stopDaemon } from "./daemon.ts";
import { freePorts } from "./free-ports.ts";
import { findProgram } from "./programs.ts";
import { waitUntil } from "./wait-until.ts";

const PROGRAM = "docker-registry";

/** Who may use the registry that asks for a password. */
export const REGISTRY_LOGIN = { username: "interlink", password: "correct horse" };
/** bcrypt of that password. */
const HTPASSWD = `${REGISTRY_LOGIN.username}:$2y$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2\n`;

export type RegistryName = "open" | "locked";

export function whyNoRegistry(): string | undefined {
  return findProgram(PROGRAM) === undefined
    ? "there is no docker-registry (Debian package docker-registry)"
    : undefined;
}

function files(
  name: RegistryName,
): Record<"config" | "data" | "port" | "pidFile" | "logFile", string> {
  const folder = cacheFolder(`registry-${name}`);
  return {
    config: join(folder, "config.yml"),
    data: join(folder, "data"),
    port: join(folder, "port"),
    pidFile: join(folder, "registry.pid"),
    logFile: join(folder, "registry.log"),
  };
}

/** Starts a real registry on a free loopback port, or finds it running. Gives `127.0.0.1:port`. */
export async function startRegistry(name: RegistryName): Promise<string> {
  const { config, data, port, pidFile, logFile } = files(name);
  if (daemonPid(pidFile, PROGRAM) === undefined) {
    const [free = 0] = await freePorts(1);
    mkdirSync(data, { recursive: true });
    writeFileSync(port, String(free));
    writeFileSync(config, registryConfig(name, data, free));
    startDaemon(findProgram(PROGRAM) ?? PROGRAM, ["serve", config], { pidFile, logFile });
  }
  const address = `127.0.0.1:${readFileSync(port, "utf8")}`;
  const expected = name === "open" ? 200 : 401;
  try {
    await waitUntil(`the registry at ${address} answers`, async () => {
      const { statusCode, body } = await request(`http://${address}/v2/`);
      await body.dump();
      return statusCode === expected;
    });
  } catch (error) {
    throw new Error(`docker-registry does not become ready; its log:\n${logTail(logFile)}`, {
      cause: error,
    });
  }
  return address;
}

export async function stopRegistry(name: RegistryName): Promise<void> {
  await stopDaemon(files(name).pidFile, PROGRAM);
}

/** YAML is a superset of JSON. */
export function registryConfig(
  name: RegistryName,
  data: string,
  port: number,
  host = "127.0.0.1",
): string {
  const htpasswd = join(data, "htpasswd");
  if (name === "locked") writeFileSync(htpasswd, HTPASSWD);
  return JSON.stringify(
    {
      version: 0.1,
      log: { level: "warn" },
      storage: { filesystem: { rootdirectory: data }, delete: { enabled: true } },
      http: { addr: `${host}:${port}` },
      ...(name === "locked" ? { auth: { htpasswd: { realm: "tests", path: htpasswd } } } : {}),
    },
    undefined,
    2,
  );
}
