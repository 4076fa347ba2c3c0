export { EXTENSION_VERSION, offers } from "./capabilities.ts";
export { type PeerAddress, parseAddress } from "./client/address.ts";
export { createInterlinkClient, type InterlinkClient } from "./client/client.ts";
export {
  isRequestId,
  type OperationName,
  REQUEST_ID_HEADER,
  requestIdFor,
} from "./client/headers.ts";
export type {
  CallOptions,
  Deadlines,
  InterlinkClientOptions,
  TlsOptions,
  TokenSource,
} from "./client/options.ts";
export { DEFAULT_DEADLINES } from "./client/options.ts";
export { readableWords } from "./client/peer-error.ts";
export { allOf } from "./door/all-of.ts";
export { anyOf } from "./door/any-of.ts";
export type { Authenticate, Caller, CallerRequest } from "./door/authenticate.ts";
export { bearerToken } from "./door/bearer-token.ts";
export { covers } from "./door/patterns.ts";
export { RateLimit, type RateLimitOptions } from "./door/rate-limit.ts";
export { Repeats } from "./door/repeats.ts";
export { certificateSubject, createSubjects } from "./door/subjects.ts";
export { createTokenFile, type TokenFileOptions } from "./door/token-file.ts";
export {
  HTTP_STATUS_BY_CODE,
  httpStatusOf,
  ProtocolError,
  type ProtocolErrorCode,
  type ProtocolErrorOptions,
} from "./errors.ts";
export { allContainers, allRemoteStatuses, allStatuses } from "./kubernetes/all-containers.ts";
export { expand } from "./kubernetes/expand.ts";
export { ADDRESS_FIELDS, type FieldAddresses, fieldValue } from "./kubernetes/field-value.ts";
export { goQuote } from "./kubernetes/go-quote.ts";
export {
  JOB_ID_ANNOTATION,
  NODE_TYPE_LABEL,
  PING_ANNOTATION,
  SITE_ANNOTATION,
} from "./kubernetes-names.ts";
export type {
  Capabilities,
  CreateAnswer,
  Feature,
  JobConfig,
  LogOptions,
  LogRequest,
  LogStreamName,
  PingAnswer,
  PodCreateRequest,
  RemotePodEvent,
  RemotePodExtension,
  RemotePodStatus,
  RetrievedContainer,
  RetrievedPodData,
  StatusStreamRecord,
} from "./messages.ts";
export {
  CONTENT_ANNOTATION,
  CREATED_BY_ANNOTATION,
  FEATURES,
  STATUS_STREAM_HEARTBEAT_SECONDS,
  WHOLE_LOG,
  ZERO_TIME,
} from "./messages.ts";
export { type OpenApiFace, openApiDocument } from "./openapi/document.ts";
export {
  readCreateAnswer,
  readCreateRequest,
  readDeleteRequest,
  readRetrievedPodData,
} from "./read/create.ts";
export { parseJson } from "./read/json.ts";
export { readLogRequest } from "./read/logs.ts";
export { readCapabilities, readPingAnswer } from "./read/ping.ts";
export { readStatsAnswer } from "./read/stats.ts";
export { readStatusAnswer, readStatusRequest, readStatusStreamLine } from "./read/status.ts";
export { STREAM_PROTOCOL } from "./streams/frame.ts";
export type { MessageSocket, SocketEnd } from "./streams/message-socket.ts";
export type {
  AttachRequest,
  ExecRequest,
  InteractiveRequest,
  PortConnection,
  PortForwardRequest,
  ProcessEnd,
  ProcessStreams,
  TerminalSize,
} from "./streams/messages.ts";
export { servePort } from "./streams/port-channel.ts";
export { writeProcessEnd } from "./streams/process-end.ts";
export { serveProcess } from "./streams/process-host.ts";
export { readAttachQuery, readExecQuery, readPortForwardQuery } from "./streams/query.ts";
export { relay } from "./streams/relay.ts";
export type {
  ContainerStats,
  CpuStats,
  FilesystemStats,
  MemoryStats,
  NetworkStats,
  PodStats,
  StatsAnswer,
} from "./streams/stats.ts";
export { createUpgrades, type Upgrades } from "./streams/upgrades.ts";
export { type AboutPod, aboutPod, podAttributes } from "./telemetry/about-pod.ts";
export { logAttributes } from "./telemetry/log-attributes.ts";
export { inSpan, type RequestSpan, startRequestSpan } from "./telemetry/span.ts";
export {
  readTraceContext,
  spanContextOf,
  type TraceContext,
  writeTraceContext,
} from "./telemetry/trace-context.ts";
export {
  emptyJobConfig,
  writeCapabilities,
  writeCreateAnswer,
  writeCreateRequest,
  writeDeleteRequest,
  writeLogRequest,
  writeRetrievedPodData,
  writeStatsAnswer,
  writeStatusAnswer,
  writeStatusRequest,
  writeStatusStreamLine,
} from "./write/messages.ts";
