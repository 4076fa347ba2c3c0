import { readFileSync } from "node:fs";
import { createDockerProvider, type DockerProviderOptions } from "@interlink/plugin-docker";
import type { Checkpoint } from "@interlink/plugin-sdk";
import type { RetrievedPodData } from "@interlink/protocol";
import pino from "pino";

/** What a crash test asks of the process that it lets die. */
export interface CrashTask {
  options: Pick<DockerProviderOptions, "root" | "dockerHost" | "plugin" | "hostPaths" | "devices">;
  /** Where to die, by SIGKILL. */
  at: Checkpoint;
  /** The pod to create, or to delete. */
  data: RetrievedPodData;
  action: "create" | "delete";
}

// A plugin process that kills itself at one step. Its task is a file, named by the only argument.
const task = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as CrashTask;
const signal = new AbortController().signal;
const provider = createDockerProvider({
  ...task.options,
  logger: pino({ level: "warn" }, pino.destination({ fd: 2, sync: true })),
  checkpoint: (step) => {
    if (step === task.at) process.kill(process.pid, "SIGKILL");
  },
});
await provider.start?.(signal);
if (task.action === "create") await provider.create(task.data, signal);
else await provider.delete(task.data.pod, signal);
// The step comes later than the answer: stay until it does.
setInterval(() => undefined, 60_000);
