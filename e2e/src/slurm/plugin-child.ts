import { readFileSync } from "node:fs";
import { servePlugin } from "@interlink/plugin-sdk";
import { createSlurmProvider, readSlurmConfig } from "@interlink/plugin-slurm";
import pino from "pino";

/** What a test asks of a plugin in a process of its own. */
export interface PluginTask {
  root: string;
  socket: string;
  /** As in the plugin's configuration file. */
  settings: Record<string, unknown>;
  /** The step of create or delete at which it dies, by SIGKILL. */
  crashAt?: string;
}

// The Slurm plugin, run by the ordinary user. Its task is a file, named by the only argument.
const task = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as PluginTask;
const logger = pino({ level: "info" }, pino.destination({ fd: 1, sync: true }));
const provider = createSlurmProvider({
  root: task.root,
  settings: readSlurmConfig({
    file: { name: "settings", text: JSON.stringify(task.settings) },
    env: {},
  }).options,
  logger,
  recordsMs: 200,
  checkpoint: (step) => {
    if (step === task.crashAt) process.kill(process.pid, "SIGKILL");
  },
});
await using running = await servePlugin(provider, {
  listen: { unixSocket: task.socket },
  logger,
});
logger.info({ address: running.address }, "ready");
await new Promise((resolve) => process.once("SIGTERM", resolve));
