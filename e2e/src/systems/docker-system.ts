import {
  EngineClient,
  engineAddresses,
  isEngineError,
  parseDockerHost,
  showAddress,
} from "@interlink/plugin-docker";
import { sharedDaemon, whyNoDaemon } from "./docker-daemon.ts";
import { removeContainers, SystemUnavailableError } from "./engine-system.ts";
import { SharedEngine } from "./shared-engine.ts";

/** The Docker Engine of this machine, or one of our own. */
export function dockerEngine(): SharedEngine {
  const daemon = sharedDaemon();
  return new SharedEngine({
    kind: "docker",
    daemon,
    findOrStart: async () => {
      const found = await findEngine(daemon.host);
      if (found !== undefined) return found;
      const why = whyNoDaemon();
      if (why !== undefined) throw new SystemUnavailableError(why);
      await daemon.start();
      // Left behind by tests that were killed: they ended with the engine, unless others use it already.
      await removeContainers(daemon.host, "ended");
      return daemon.host;
    },
    pullsFromLoopback: () => true,
  });
}

async function findEngine(own: string): Promise<string | undefined> {
  const given = process.env.INTERLINK_TEST_DOCKER_HOST;
  const candidates =
    given === undefined || given === ""
      ? [...engineAddresses(process.env), parseDockerHost(own)]
      : [parseDockerHost(given, process.env)];
  for (const address of candidates) {
    await using engine = new EngineClient(address);
    try {
      await engine.version();
      return showAddress(address);
    } catch (error) {
      if (!isEngineError(error)) throw error;
      if (given) throw new SystemUnavailableError(error.message, { cause: error });
    }
  }
  return undefined;
}
