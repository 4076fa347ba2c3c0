import type { KubeClient } from "@interlink/kube";
import type { Node } from "kubernetes-types/core/v1.js";
import type { Logger } from "pino";
import type { RemoteSite } from "../remote/remote-site.ts";
import type { ObjectReader } from "../resolve/object-reader.ts";
import type { ObjectWatches } from "../resolve/object-watches.ts";
import type { Allocatable } from "../resolve/resource-ref.ts";
import type { NodeCheckpoint } from "./checkpoints.ts";
import type { PodEvents } from "./pod-events.ts";
import type { PodTiming } from "./timing.ts";

/** The parts that the pod machinery works with; built once by the assembly, or by a test. */
export interface PodContext {
  nodeName: string;
  /** Unique to this node of this cluster, over restarts; `undefined`: not known, and orphans are left alone. */
  owner: string | undefined;
  /** For hostIP. */
  nodeAddress: string | undefined;
  client: KubeClient;
  site: RemoteSite;
  /** The node object as it was seen last; `undefined` while there is none. Pods are admitted by it. */
  node: () => Node | undefined;
  reader: ObjectReader;
  watches: ObjectWatches;
  events: PodEvents;
  logger: Logger;
  timing: PodTiming;
  /** What the node offers now; stands in for limits that a container does not set. */
  allocatable: () => Allocatable;
  jobscriptURL: string;
  /** Write the annotation `JobID` on pods, as old nodes do. */
  annotateJobs: boolean;
  /** Monotonic milliseconds: `performance.now()`. */
  now: () => number;
  /** For everything that is written down. */
  wall: () => Date;
  random: () => number;
  checkpoint: (name: NodeCheckpoint) => void;
}
