import { Type } from "typebox";
import { DnsLabel, DnsSubdomain, LIMITS, PodUid, Rfc3339 } from "./names.ts";

// The requests of interactive streams, which travel in the query of the upgrade, and the statistics.

const characters = Type.Integer({ minimum: 0, maximum: 65_535 });
const flag = Type.Boolean({ default: false });

export const AttachRequestSchema = Type.Object({
  Namespace: DnsLabel,
  PodName: DnsSubdomain,
  PodUID: PodUid,
  ContainerName: DnsLabel,
  Stdin: flag,
  Stdout: flag,
  Stderr: flag,
  TTY: flag,
});

export const ExecRequestSchema = Type.Object({
  ...AttachRequestSchema.properties,
  Command: Type.Array(Type.String({ pattern: "^[^\\0]*$" }), { minItems: 1, maxItems: 10_000 }),
  Size: Type.Optional(Type.Object({ width: characters, height: characters })),
});

export const PortForwardRequestSchema = Type.Object({
  Namespace: DnsLabel,
  PodName: DnsSubdomain,
  PodUID: PodUid,
  Port: Type.Integer({ minimum: 1, maximum: 65_535 }),
});

const amount = Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }));
/** Nanoseconds of CPU outgrow 2^53 after 104 days of one core; the last digits do not matter. */
const long = Type.Optional(Type.Number({ minimum: 0 }));

const CpuStatsSchema = Type.Object({
  time: Rfc3339,
  usageNanoCores: long,
  usageCoreNanoSeconds: long,
});
const MemoryStatsSchema = Type.Object({
  time: Rfc3339,
  availableBytes: amount,
  usageBytes: amount,
  workingSetBytes: amount,
  rssBytes: amount,
});
const FilesystemStatsSchema = Type.Object({
  time: Rfc3339,
  usedBytes: amount,
  availableBytes: amount,
  capacityBytes: amount,
});
const NetworkStatsSchema = Type.Object({
  time: Rfc3339,
  name: Type.String({ maxLength: 253 }),
  rxBytes: amount,
  txBytes: amount,
});
const usage = {
  cpu: Type.Optional(CpuStatsSchema),
  memory: Type.Optional(MemoryStatsSchema),
};

const PodStatsSchema = Type.Object({
  podRef: Type.Object({ name: DnsSubdomain, namespace: DnsLabel, uid: PodUid }),
  startTime: Rfc3339,
  containers: Type.Array(
    Type.Object({
      name: DnsLabel,
      startTime: Rfc3339,
      ...usage,
      rootfs: Type.Optional(FilesystemStatsSchema),
      logs: Type.Optional(FilesystemStatsSchema),
    }),
    { maxItems: 2 * LIMITS.containersPerPod, default: [] },
  ),
  ...usage,
  network: Type.Optional(NetworkStatsSchema),
});

export const StatsAnswerSchema = Type.Object({
  node: Type.Optional(Type.Object({ ...usage, fs: Type.Optional(FilesystemStatsSchema) })),
  pods: Type.Array(PodStatsSchema, { maxItems: 10 * LIMITS.podsPerRequest, default: [] }),
});
