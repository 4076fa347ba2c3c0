export type {
  Capabilities,
  CreateAnswer,
  Feature,
  JobConfig,
  LogOptions,
  LogRequest,
  PingAnswer,
  PodCreateRequest,
  RemotePodEvent,
  RemotePodExtension,
  RemotePodStatus,
  RetrievedContainer,
  RetrievedPodData,
  StatusStreamRecord,
} from "./messages.ts";
export { FEATURES, STATUS_STREAM_HEARTBEAT_SECONDS, ZERO_TIME } from "./messages.ts";
