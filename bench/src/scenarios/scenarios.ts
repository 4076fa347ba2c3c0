import type { Scenario } from "../scenario.ts";
import { apiserver } from "./apiserver.ts";
import { changeLatency } from "./change-latency.ts";
import { docker } from "./docker.ts";
import { frontDoor } from "./front-door.ts";
import { memory } from "./memory.ts";
import { podLatency } from "./pod-latency.ts";
import { server } from "./server.ts";
import { slurm } from "./slurm.ts";
import { throughput } from "./throughput.ts";

/** In the order in which they run. */
export const scenarios: readonly Scenario[] = [
  podLatency,
  throughput,
  changeLatency,
  server,
  frontDoor,
  memory,
  apiserver,
  docker,
  slurm,
];
