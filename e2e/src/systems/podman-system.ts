import { EngineClient, isEngineError, parseDockerHost } from "@interlink/plugin-docker";
import { SystemUnavailableError } from "./engine-system.ts";
import { sharedPodman, whyNoPodman } from "./podman-service.ts";
import { SharedEngine } from "./shared-engine.ts";

/**
 * The Podman of `INTERLINK_TEST_PODMAN_HOST`, or one of our own. A service that just happens to run is not looked for:
 * as often as not it is a rootless one, whose pods this machine cannot reach.
 */
export function podmanEngine(): SharedEngine {
  const service = sharedPodman();
  return new SharedEngine({
    kind: "podman",
    daemon: service,
    findOrStart: async () => {
      const given = process.env.INTERLINK_TEST_PODMAN_HOST;
      if (given) return answering(given);
      const why = whyNoPodman();
      if (why !== undefined) throw new SystemUnavailableError(why);
      await service.start();
      return service.host;
    },
    // Ours is told to.
    pullsFromLoopback: (host) => host === service.host,
  });
}

async function answering(host: string): Promise<string> {
  await using engine = new EngineClient(parseDockerHost(host, process.env));
  try {
    await engine.version();
    return host;
  } catch (error) {
    if (!isEngineError(error)) throw error;
    throw new SystemUnavailableError(error.message, { cause: error });
  }
}
