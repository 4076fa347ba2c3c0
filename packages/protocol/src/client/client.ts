import type { Pod } from "kubernetes-types/core/v1.js";
import {
  type Capabilities,
  type CreateAnswer,
  type LogRequest,
  type PingAnswer,
  type PodCreateRequest,
  type RemotePodStatus,
  type RetrievedPodData,
  STATUS_STREAM_HEARTBEAT_SECONDS,
  type StatusStreamRecord,
} from "../messages.ts";
import { readCreateAnswer } from "../read/create.ts";
import { parseJson } from "../read/json.ts";
import { readCapabilities, readPingAnswer } from "../read/ping.ts";
import { readStatsAnswer } from "../read/stats.ts";
import { readStatusAnswer, readStatusStreamLine } from "../read/status.ts";
import type { MessageSocket } from "../streams/message-socket.ts";
import type {
  AttachRequest,
  ExecRequest,
  InteractiveRequest,
  PortConnection,
  PortForwardRequest,
  ProcessStreams,
} from "../streams/messages.ts";
import type { StatsAnswer } from "../streams/stats.ts";
import {
  writeCreateRequest,
  writeDeleteRequest,
  writeLogRequest,
  writeRetrievedPodData,
  writeStatusRequest,
} from "../write/messages.ts";
import { createDialer } from "./dial.ts";
import { createInteractive } from "./interactive.ts";
import { linesOf } from "./lines.ts";
import {
  type CallOptions,
  DEFAULT_DEADLINES,
  type Deadlines,
  type InterlinkClientOptions,
} from "./options.ts";
import { peerJson, saysBaseProtocol, understood } from "./read-answer.ts";
import { createTransport } from "./transport.ts";
import { watched } from "./watched.ts";

/**
 * The calls of the interLink wire towards one peer. Every method throws ProtocolError and nothing else; a non-2xx
 * answer is `refused` with the peer's own words. Nothing is retried here: who calls knows what may be repeated.
 */
export interface InterlinkClient extends AsyncDisposable {
  readonly peer: "server" | "plugin";
  /** `PodCreateRequest` to an API server, `RetrievedPodData` to a plugin. */
  create(data: PodCreateRequest | RetrievedPodData, options?: CallOptions): Promise<CreateAnswer>;
  /** What a running pod names has changed (feature `pod-updates`): the same bodies as create's. */
  update(data: PodCreateRequest | RetrievedPodData, options?: CallOptions): Promise<void>;
  delete(pod: Pod, options?: CallOptions): Promise<void>;
  /** The pods that the peer knows among those asked for. */
  status(pods: readonly Pod[], options?: CallOptions): Promise<RemotePodStatus[]>;
  /** Resolves with the headers; then the log's bytes as they come. Ends or throws; `aborted` when the signal fires. */
  logs(request: LogRequest, options?: CallOptions): Promise<AsyncIterable<Uint8Array>>;
  /** `raw` is the plugin's body; `answer` what it says about its resource, if it says something. */
  ping(options?: CallOptions): Promise<{ raw: string; answer: PingAnswer | undefined }>;
  /** `undefined`: the peer speaks the base protocol only. */
  capabilities(options?: CallOptions): Promise<Capabilities | undefined>;
  /**
   * Records until the peer ends the stream; throws `timeout` when it falls silent for three heartbeats, `aborted` when
   * the signal fires. Unknown record types are skipped.
   */
  statusStream(options?: CallOptions): AsyncGenerator<StatusStreamRecord, void, undefined>;
  /**
   * Start a process in a container, or attach to the one that runs there. Resolves when the peer has agreed; its refusal
   * is `refused` with its words. Only for peers that offer `exec`, `attach`. The signal ends the streams as well.
   */
  exec(request: ExecRequest, options?: CallOptions): Promise<ProcessStreams>;
  attach(request: AttachRequest, options?: CallOptions): Promise<ProcessStreams>;
  /**
   * One connection to a port of the pod. Resolves when it is made. Only for peers that offer `port-forward`. The signal
   * destroys the connection as well.
   */
  portForward(request: PortForwardRequest, options?: CallOptions): Promise<PortConnection>;
  /** The same three for who hands the messages on as they are (`relay`). The signal ends only the opening. */
  openStream(stream: InteractiveRequest, options?: CallOptions): Promise<MessageSocket>;
  /** What the peer's pods use. Only for peers that offer `stats`. */
  stats(options?: CallOptions): Promise<StatsAnswer>;
  /** Asks an API server to forget what it remembers of a pod. */
  updateCache(uid: string, options?: CallOptions): Promise<void>;
  /** Ends every call and stream at once with `aborted`. */
  close(): Promise<void>;
}

/** A client of one peer. It connects when it is first used; the caller closes it. */
export function createInterlinkClient(options: InterlinkClientOptions): InterlinkClient {
  const transport = createTransport(options);
  const dialer = createDialer(options);
  const deadlines: Deadlines = { ...DEFAULT_DEADLINES, ...options.deadlines };
  const close = async (): Promise<void> => {
    await Promise.all([transport.close(), dialer.close()]);
  };
  const towardsPlugin = options.peer === "plugin";
  const silenceMs = options.streamSilenceMs ?? 3 * STATUS_STREAM_HEARTBEAT_SECONDS * 1000;
  const maxLineBytes = options.maxLineBytes ?? 4 * 1024 * 1024;

  return {
    peer: options.peer,

    async create(data, call = {}) {
      const body = podBody(data);
      const answer = await transport.call(
        {
          operation: "CreatePod",
          method: "POST",
          path: "/create",
          body,
          timeoutMs: deadlines.create,
        },
        call,
      );
      return understood("POST /create", () => readCreateAnswer(peerJson(answer)));
    },

    async update(data, call = {}) {
      await transport.call(
        {
          operation: "UpdatePod",
          method: "POST",
          path: "/update",
          body: podBody(data),
          timeoutMs: deadlines.update,
        },
        call,
      );
    },

    async delete(pod, call = {}) {
      await transport.call(
        {
          operation: "DeletePod",
          method: towardsPlugin ? "POST" : "DELETE",
          path: "/delete",
          body: writeDeleteRequest(pod),
          timeoutMs: deadlines.delete,
        },
        call,
      );
    },

    async status(pods, call = {}) {
      const answer = await transport.call(
        {
          operation: "GetStatus",
          method: "GET",
          path: "/status",
          body: writeStatusRequest(pods),
          timeoutMs: deadlines.status,
        },
        call,
      );
      return understood("GET /status", () => readStatusAnswer(peerJson(answer), pods));
    },

    async logs(request, call = {}) {
      const answer = await transport.open(
        {
          operation: "GetLogs",
          method: "GET",
          path: "/getLogs",
          body: writeLogRequest(request),
          // Old plugins send their headers with the first line, and a quiet container may take hours to write one.
          timeoutMs: request.Opts.Follow ? undefined : deadlines.streamHeaders,
        },
        call,
      );
      return answer.chunks();
    },

    async ping(call = {}) {
      const answer = await transport.call(
        {
          operation: "PingInterLink",
          ...(towardsPlugin
            ? { method: "GET", path: "/status", body: "[]" }
            : { method: "POST", path: "/pinglink" }),
          timeoutMs: deadlines.ping,
        },
        call,
      );
      return { raw: answer.toString("utf8"), answer: readPingAnswer(answer) };
    },

    async capabilities(call = {}) {
      try {
        const answer = await transport.call(
          {
            operation: "GetCapabilities",
            method: "GET",
            path: "/capabilities",
            timeoutMs: deadlines.capabilities,
          },
          call,
        );
        return understood("GET /capabilities", () => readCapabilities(parseJson(answer)));
      } catch (error) {
        if (saysBaseProtocol(error)) return undefined;
        throw error;
      }
    },

    async *statusStream(call = {}) {
      const answer = await transport.open(
        {
          operation: "StatusStream",
          method: "GET",
          path: "/status/stream",
          timeoutMs: deadlines.streamHeaders,
        },
        call,
      );
      for await (const line of linesOf(watched(answer, silenceMs), maxLineBytes)) {
        const record = understood("GET /status/stream", () => readStatusStreamLine(line));
        if (record !== undefined) yield record;
      }
    },

    ...createInteractive(dialer, deadlines.streamHeaders),

    async stats(call = {}) {
      const answer = await transport.call(
        { operation: "GetStats", method: "GET", path: "/stats", timeoutMs: deadlines.stats },
        call,
      );
      return understood("GET /stats", () => readStatsAnswer(parseJson(answer)));
    },

    async updateCache(uid, call = {}) {
      await transport.call(
        {
          operation: "UpdateCache",
          method: "POST",
          path: "/updateCache",
          body: uid,
          timeoutMs: deadlines.updateCache,
        },
        call,
      );
    },

    close,
    [Symbol.asyncDispose]: close,
  };
}

function podBody(data: PodCreateRequest | RetrievedPodData): string {
  return "container" in data ? writeRetrievedPodData(data) : writeCreateRequest(data);
}
