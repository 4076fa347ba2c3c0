import { request } from "node:http";
import { CliError } from "../cli-error.ts";

export type PluginChoice = "auto" | "docker" | "process";

/** Which plugin `interlink up` takes, and the sentence that tells why. */
export interface ChosenPlugin {
  plugin: "docker" | "process";
  reason: string;
  /** Of the engine, when the plugin is docker. */
  dockerHost?: string;
}

const DEFAULT_DOCKER_HOST = "unix:///var/run/docker.sock";

/**
 * Docker if an engine answers where `DOCKER_HOST` (or the usual socket) says, else processes.
 * `ask` is given for tests; it resolves when the engine answers and rejects with the reason when it does not.
 */
export async function choosePlugin(
  wanted: PluginChoice,
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
  ask: (dockerHost: string, signal: AbortSignal) => Promise<string> = pingEngine,
): Promise<ChosenPlugin> {
  if (wanted === "process") return { plugin: "process", reason: "asked for" };
  const dockerHost = env["DOCKER_HOST"] || DEFAULT_DOCKER_HOST;
  try {
    const version = await ask(dockerHost, AbortSignal.any([signal, AbortSignal.timeout(3_000)]));
    return {
      plugin: "docker",
      dockerHost,
      reason: `${wanted === "docker" ? "asked for" : "an engine answers"}: ${version} at ${dockerHost}`,
    };
  } catch (error) {
    const why = `no Docker engine answers at ${dockerHost} (${(error as Error).message})`;
    if (wanted === "docker") {
      throw new CliError(
        "unavailable",
        `Cannot use the Docker plugin: ${why}. Start the engine, set DOCKER_HOST, or use --plugin process.`,
        { cause: error },
      );
    }
    return { plugin: "process", reason: why };
  }
}

/** `GET /version` of a Docker Engine API; resolves to "Docker Engine 28.2.2" or the like. */
async function pingEngine(dockerHost: string, signal: AbortSignal): Promise<string> {
  const url = new URL(dockerHost);
  if (url.protocol !== "unix:" && url.protocol !== "tcp:" && url.protocol !== "http:") {
    // SSH and TLS engines are the Docker plugin's business; asking for it by name still works.
    throw new Error(`interlink up can only ask engines at unix:// and tcp:// addresses`);
  }
  const where =
    url.protocol === "unix:"
      ? { socketPath: url.pathname }
      : { host: url.hostname, port: Number(url.port || 2375) };
  const body = await new Promise<string>((resolve, reject) => {
    const call = request({ ...where, path: "/version", signal }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        if (response.statusCode === 200) resolve(Buffer.concat(chunks).toString("utf8"));
        else reject(new Error(`it answers with status ${response.statusCode}`));
      });
    });
    call.on("error", (error: NodeJS.ErrnoException) =>
      reject(error.code === undefined ? error : new Error(error.code, { cause: error })),
    );
    call.end();
  });
  const { Version: version, Components: components } = JSON.parse(body) as {
    Version?: string;
    Components?: { Name?: string }[];
  };
  return `${components?.[0]?.Name ?? "engine"} ${version ?? "of unknown version"}`;
}
