export { batchScriptPath } from "./batch/batch-script.ts";
export type { BatchUsage } from "./batch/batch-usage.ts";
export { readBatchUsage, requestBatchUsage } from "./batch/batch-usage.ts";
export type {
  BatchContainer,
  BatchContainerSpec,
  BatchEvent,
  BatchFile,
  BatchMount,
  BatchPod,
  BatchRecords,
  BatchRuntime,
  BatchWord,
  BatchWordPart,
  PlanBatchPodOptions,
} from "./batch/contract.ts";
export { batchContainerDirectory, batchEnvironmentFile } from "./batch/contract.ts";
export type { BatchUpdate } from "./batch/encode-batch-update.ts";
export { encodeBatchUpdate } from "./batch/encode-batch-update.ts";
export type { PackBatchPodOptions } from "./batch/pack-batch-pod.ts";
export { packBatchPod } from "./batch/pack-batch-pod.ts";
export { readPlainFile } from "./batch/plain-file.ts";
export { planBatchPod } from "./batch/plan-batch-pod.ts";
export type { ReadBatchRecordsOptions } from "./batch/read-batch-records.ts";
export { noBatchRecords, readBatchRecords } from "./batch/read-batch-records.ts";
export { writeBatchGrace, writeBatchPod } from "./batch/write-batch-pod.ts";
export { ConfigError } from "./config/config-error.ts";
export type { ConfigKey, SettingNotes, SettingSchema } from "./config/config-schema.ts";
export { allowedValues, configKeys, settingSchema } from "./config/config-schema.ts";
export { nearest } from "./config/nearest.ts";
export type { ConfigSources, ReadConfig } from "./config/read-config.ts";
export { readConfig } from "./config/read-config.ts";
export type { AttachedContainer } from "./console/attach-session.ts";
export { attachSession } from "./console/attach-session.ts";
export type { ConsoleMode } from "./console/console.ts";
export {
  consoleInput,
  consoleScriptPath,
  consoleWords,
  endFrame,
  sizeFrame,
} from "./console/console.ts";
export type { Disk } from "./jobs/disk.ts";
export { isSystemError } from "./jobs/disk.ts";
export { writeDurably } from "./jobs/durable-file.ts";
export type { FileStep } from "./jobs/file-step.ts";
export type { JobPaths } from "./jobs/job-paths.ts";
export type {
  Job,
  JobChange,
  JobPhase,
  JobStore,
  Quarantined,
  Tombstone,
  UpdateOptions,
} from "./jobs/job-store.ts";
export { KeyedQueue } from "./jobs/keyed-queue.ts";
export type { JobStoreOptions } from "./jobs/open-job-store.ts";
export { openJobStore } from "./jobs/open-job-store.ts";
export { ThreadedDisk } from "./jobs/threaded-disk.ts";
export { runtimeLogOptions } from "./logs/log-options.ts";
export type { ReadLogContext } from "./logs/read-log.ts";
export { readLog } from "./logs/read-log.ts";
export { timelineFile } from "./logs/timeline.ts";
export type { TimelineRecorder, TimelineRecorderOptions } from "./logs/timeline-recorder.ts";
export { createTimelineRecorder } from "./logs/timeline-recorder.ts";
export type { PluginErrorCode } from "./plugin-error.ts";
export { PLUGIN_ERROR_HTTP_STATUS, PluginError } from "./plugin-error.ts";
export type { AboutJob, Provider, ProviderListener } from "./provider.ts";
export { readFileVariables } from "./resolve/env-file.ts";
export type { PodAddresses } from "./resolve/pod-addresses.ts";
export type { Fraction } from "./resolve/quantity.ts";
export { ceilDivide, parseQuantity } from "./resolve/quantity.ts";
export type { ResolvedContainer } from "./resolve/resolve-container.ts";
export { resolveContainer } from "./resolve/resolve-container.ts";
export { connectTo } from "./runtime/connect-to.ts";
export type {
  ContainerHandle,
  ContainerMount,
  ContainerRuntime,
  ContainerSpec,
  CreatedContainer,
  ImageRequest,
  ImageState,
  ObservedContainer,
  PullProgress,
  RuntimeCapacity,
  RuntimeLogOptions,
  RuntimeStats,
  SandboxSpec,
  SandboxState,
  StreamRequest,
} from "./runtime/container-runtime.ts";
export { pullPolicy } from "./runtime/pull-policy.ts";
export type { ImageErrorCode, RuntimeErrorCode } from "./runtime/runtime-error.ts";
export { ImageError, RuntimeError } from "./runtime/runtime-error.ts";
export { traceOf, traceVariables, WANTS_TRACE_ANNOTATION } from "./serve/job-trace.ts";
export { LogScope } from "./serve/log-scope.ts";
export type {
  CallDeadlines,
  ListenAddress,
  RunningPlugin,
  ServePluginOptions,
} from "./serve/options.ts";
export { servePlugin } from "./serve/serve-plugin.ts";
export type { Checkpoint } from "./supervisor/checkpoints.ts";
export { CHECKPOINTS } from "./supervisor/checkpoints.ts";
export type { Clock } from "./supervisor/clock.ts";
export { systemClock } from "./supervisor/clock.ts";
export type { ContainerProviderOptions } from "./supervisor/container-provider.ts";
export { createContainerProvider } from "./supervisor/container-provider.ts";
export { Limit } from "./supervisor/limit.ts";
export { Listeners } from "./supervisor/listeners.ts";
export { TERMINATION_FILE } from "./supervisor/perform/read-ended-messages.ts";
export { unlessAborted } from "./supervisor/unless-aborted.ts";
export { updatedData } from "./supervisor/updated-data.ts";
export { giveToGroup } from "./volumes/fs-group.ts";
export { memoryVolumeBytes } from "./volumes/memory-size.ts";
export { makeBelow, openBelow, pathOf } from "./volumes/open-below.ts";
export type {
  PodVolumes,
  PrepareVolumesOptions,
  ProvidedVolume,
  VolumeResolver,
} from "./volumes/pod-volumes.ts";
export { prepareVolumes, updateVolumes } from "./volumes/prepare-volumes.ts";
