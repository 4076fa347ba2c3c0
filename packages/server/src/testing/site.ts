import { pino } from "pino";
import type { ServerOptions } from "../options.ts";
import { type RunningServer, startServer } from "../server.ts";
import { FakePlugin } from "./fake-plugin.ts";

export interface TestSite extends AsyncDisposable {
  server: RunningServer;
  plugin: FakePlugin;
  address: string;
}

/** A server on a free port in front of a fake plugin. */
export async function startSite(options: Partial<ServerOptions> = {}): Promise<TestSite> {
  const plugin = await new FakePlugin().start();
  const server = await startServer({
    listen: { host: "127.0.0.1", port: 0 },
    plugin: { address: plugin.address },
    logger: pino({ level: "silent" }),
    ...options,
  });
  return {
    server,
    plugin,
    address: server.address,
    [Symbol.asyncDispose]: async () => {
      await server.close();
      await plugin[Symbol.asyncDispose]();
    },
  };
}
