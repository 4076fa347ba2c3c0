import { startServer } from "@interlink/server";
import type { CliContext } from "../cli-context.ts";
import { crashPoint } from "../crash-point.ts";
import type { ServerFlags } from "../flags.ts";
import { parseListen } from "../listen.ts";
import { openLog, untilAborted } from "../logging.ts";

/** `interlink server`: the API server, until the process is asked to end. */
export async function server(flags: ServerFlags, { env, signal }: CliContext): Promise<void> {
  const logger = openLog("server", flags.logLevel);
  const checkpoint = crashPoint(env);
  await using running = await startServer({
    listen: parseListen(flags.listen),
    plugin: { address: flags.plugin },
    logger,
    ...(checkpoint ? { checkpoint } : {}),
  });
  logger.info({ address: running.address, plugin: flags.plugin }, "ready");
  await untilAborted(signal);
  logger.info("stopping");
}
