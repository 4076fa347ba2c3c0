import {
  AttachRequestSchema,
  ExecRequestSchema,
  PortForwardRequestSchema,
} from "../schemas/streams.ts";

interface QueryParameter {
  name: string;
  required: boolean;
  schema: object;
  description?: string;
}

/** One operation of the wire, as the OpenAPI documents list it. */
export interface Operation {
  id: string;
  method: "get" | "post" | "delete";
  path: string;
  summary: string;
  /** Schema name; without one the body is text. */
  request?: { schema?: string };
  /** Default `application/json`. */
  requestType?: string;
  /** Parameters of the query. */
  query?: readonly QueryParameter[];
  /** No `type`: the answer is 101, and the connection becomes a WebSocket. */
  answer: { type?: string; schema?: string; description: string };
  /** Not part of the base protocol: offered through `/capabilities`. */
  extension?: boolean;
}

/** The operations of one face (reference: interlink-wire-and-node.md section 1.1). */
export function operations(face: "interlink" | "plugin"): Operation[] {
  return face === "interlink"
    ? [
        create("PodCreateRequest"),
        remove("delete"),
        status,
        logs,
        ping,
        updateCache,
        update("PodCreateRequest"),
        ...extension,
      ]
    : [
        create("RetrievedPodData"),
        remove("post"),
        status,
        logs,
        update("RetrievedPodData"),
        ...extension,
      ];
}

const json = "application/json";

function create(schema: string): Operation {
  return {
    id: "create",
    method: "post",
    path: "/create",
    summary:
      "Start the pod's job. Idempotent by pod UID: a repeated create answers with the job that exists",
    request: { schema },
    answer: { type: json, schema: "CreateAnswer", description: "The job's id" },
  };
}

function update(schema: string): Operation {
  return {
    id: "update",
    method: "post",
    path: "/update",
    summary:
      "Feature pod-updates: what a running pod names has changed. The same body as create's; nothing is started again",
    request: { schema },
    answer: { type: "text/plain", description: "Any text; the new content is remembered" },
    extension: true,
  };
}

function remove(method: "post" | "delete"): Operation {
  return {
    id: "delete",
    method,
    path: "/delete",
    summary: "Stop the pod's job and remove its data. An unknown pod is no error",
    request: { schema: "Pod" },
    answer: { type: "text/plain", description: "Any text; the deletion is remembered" },
  };
}

const status: Operation = {
  id: "status",
  method: "get",
  path: "/status",
  summary:
    "The state of these pods; a pod that is unknown is left out. A plugin answers an empty list with a PingAnswer",
  request: { schema: "StatusRequest" },
  answer: { type: json, schema: "StatusAnswer", description: "One element per known pod" },
};

const logs: Operation = {
  id: "getLogs",
  method: "get",
  path: "/getLogs",
  summary: "A container's log, as it is written while Follow is set",
  request: { schema: "LogRequest" },
  answer: { type: "text/plain", description: "The log's bytes" },
};

const ping: Operation = {
  id: "pinglink",
  method: "post",
  path: "/pinglink",
  summary: "Asks the plugin whether it lives, and hands on what it says",
  answer: {
    type: json,
    schema: "PingAnswer",
    description: "The plugin's own body. Any body with 200 means that it lives",
  },
};

const updateCache: Operation = {
  id: "updateCache",
  method: "post",
  path: "/updateCache",
  summary: "Forget what is remembered of a pod. The body is its UID, or the pod",
  request: {},
  requestType: "text/plain",
  answer: { type: "text/plain", description: "Done" },
};

const { Namespace, PodName, PodUID, ContainerName } = AttachRequestSchema.properties;
const pod: QueryParameter[] = [
  { name: "namespace", required: true, schema: Namespace },
  { name: "pod", required: true, schema: PodName },
  { name: "uid", required: true, schema: PodUID },
];
const container: QueryParameter[] = [
  ...pod,
  { name: "container", required: true, schema: ContainerName },
];
const size: QueryParameter = {
  name: "size",
  required: false,
  schema: { type: "string", pattern: "^[0-9]{1,5}x[0-9]{1,5}$" },
};
const flags = ["stdin", "stdout", "stderr", "tty"].map(
  (name): QueryParameter => ({ name, required: false, schema: { type: "string", enum: ["1"] } }),
);

function stream(feature: string, summary: string, query: QueryParameter[]): Operation {
  return {
    id: feature,
    method: "get",
    path: `/${feature}`,
    summary: `Feature ${feature}: a WebSocket with the subprotocol v5.channel.k8s.io. ${summary}`,
    query,
    answer: { description: "The stream has begun" },
    extension: true,
  };
}

const extension: Operation[] = [
  {
    id: "capabilities",
    method: "get",
    path: "/capabilities",
    summary: "What this peer offers beyond the base protocol. 404 means nothing",
    answer: { type: json, schema: "Capabilities", description: "The features" },
    extension: true,
  },
  {
    id: "statusStream",
    method: "get",
    path: "/status/stream",
    summary:
      "Feature status-stream: every known pod, then `synced`, then each change and event, and heartbeats",
    answer: {
      type: "application/x-ndjson",
      schema: "StatusStreamRecord",
      description: "One JSON object per line",
    },
    extension: true,
  },
  stream("exec", "Start a process in a running container", [
    ...container,
    {
      name: "command",
      required: true,
      schema: ExecRequestSchema.properties.Command,
      description: "Repeated, one word each; no shell",
    },
    ...flags,
    size,
  ]),
  stream("attach", "Take part in the process that runs in a container", [...container, ...flags]),
  stream("port-forward", "One connection to a port of the pod", [
    ...pod,
    { name: "port", required: true, schema: PortForwardRequestSchema.properties.Port },
  ]),
  {
    id: "stats",
    method: "get",
    path: "/stats",
    summary: "Feature stats: what the pods use now. What was not measured is left out",
    answer: { type: json, schema: "StatsAnswer", description: "By pod and container" },
    extension: true,
  },
];
