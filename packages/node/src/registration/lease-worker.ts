// The lease thread: a process whose event loop is busy with thousands of pods must still be seen to live, for a node
// whose lease lapses has its pods evicted (reference: kubelet-contract 1.4). Ends with its parent.
import { parentPort, workerData } from "node:worker_threads";
import { runLeaseLoop } from "./lease-loop.ts";
import type { LeaseCommand, LeaseWorkerData } from "./lease-protocol.ts";

if (parentPort === null) throw new Error("lease-worker.js is a worker thread, not a program");
const port = parentPort;
const stop = new AbortController();
let uid: string | undefined;

port.on("message", (command: LeaseCommand) => {
  if (command.type === "node") uid = command.uid;
  else stop.abort();
});

await runLeaseLoop(
  workerData as LeaseWorkerData,
  () => uid,
  (report) => port.postMessage(report),
  stop.signal,
);
port.close();
