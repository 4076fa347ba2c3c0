import { createInterface } from "node:readline";
import type { RetrievedPodData } from "@interlink/protocol";
import { pino } from "pino";
import { createProcessProvider } from "../process-provider.ts";

/**
 * A process plugin to be killed: `plugin-child.js ROOT SCRIPTS CHECKPOINT`. Reads `{create: data}` and `{delete: data}`
 * line by line, tells what it did, and kills itself when it comes to the checkpoint.
 */
const [, , root = "", scripts = "", crashAt] = process.argv;
const signal = new AbortController().signal;
const tell = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);

const provider = createProcessProvider({
  root,
  scripts,
  logger: pino({ level: "silent" }),
  checkpoint: (step) => {
    if (step === crashAt) process.kill(process.pid, "SIGKILL");
  },
});
provider.subscribe?.({ status: (status) => tell({ status }), gone: tell, event: () => undefined });
await provider.start?.(signal);
tell({ started: true });
for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line) as { create?: RetrievedPodData; delete?: RetrievedPodData };
  if (order.create !== undefined) await provider.create(order.create, signal);
  if (order.delete !== undefined) await provider.delete(order.delete.pod, signal);
}
