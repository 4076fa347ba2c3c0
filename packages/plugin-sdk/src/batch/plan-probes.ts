import type {
  Container,
  GRPCAction,
  HTTPGetAction,
  LifecycleHandler,
  Probe,
  TCPSocketAction,
} from "kubernetes-types/core/v1.js";
import { PluginError } from "../plugin-error.ts";
import type { PlannedPod } from "../supervisor/planned-pod.ts";
import { probeHeaders, probeUrl } from "../supervisor/probes/look-http.ts";
import { portNumber } from "../supervisor/probes/pod-port.ts";
import { probeDefaults } from "../supervisor/probes/probe-worker.ts";
import type { BatchContainerSpec, BatchRuntime } from "./contract.ts";
import { encodeWords, nulSeparated, type Settings } from "./encode.ts";
import { healthRequest, MOST_SERVICE_BYTES, printable } from "./health-request.ts";

/** A probe or hook as the script does it: its settings, and what `il_ask` reads in the file of its name. */
export interface PlannedAsk {
  name: string;
  settings: Settings;
  content?: Uint8Array;
}

/** The job's machine: a pod has no network of its own. */
const HOST = "127.0.0.1";

/** Throws `PluginError` `rejected` for what bash cannot ask. */
export function planProbes(
  spec: BatchContainerSpec,
  { graceSeconds }: PlannedPod,
  runtime: BatchRuntime,
): PlannedAsk[] {
  const { startupProbe, livenessProbe, readinessProbe } = spec.container;
  const probes = [
    ["startup", startupProbe],
    ["liveness", livenessProbe],
    ["readiness", readinessProbe],
  ] as const;
  return probes.flatMap(([name, probe]) => {
    const ask = probe && planAsk(name, probe, spec, runtime);
    return ask === undefined
      ? []
      : [{ ...ask, settings: [...ask.settings, ...timing(name, probe ?? {}, graceSeconds)] }];
  });
}

export function planHooks(spec: BatchContainerSpec, runtime: BatchRuntime): PlannedAsk[] {
  const { postStart, preStop } = spec.container.lifecycle ?? {};
  return [
    ...(postStart ? [planAsk("postStart", postStart, spec, runtime)] : []),
    ...(preStop ? [planAsk("preStop", preStop, spec, runtime)] : []),
  ].filter((ask) => ask !== undefined);
}

/** Milliseconds; Kubernetes' defaults and least values. */
function timing(name: string, probe: Probe, graceSeconds: number): Settings {
  const least = (value: number | undefined, standard: number, least: number) =>
    Math.max(least, Math.trunc(value ?? standard));
  const { initialDelaySeconds, periodSeconds, timeoutSeconds, successThreshold, failureThreshold } =
    probeDefaults;
  const grace = probe.terminationGracePeriodSeconds ?? graceSeconds;
  return [
    [`${name}.delay`, least(probe.initialDelaySeconds, initialDelaySeconds, 0) * 1000],
    [`${name}.period`, least(probe.periodSeconds, periodSeconds, 1) * 1000],
    [`${name}.timeout`, least(probe.timeoutSeconds, timeoutSeconds, 1) * 1000],
    [`${name}.success`, least(probe.successThreshold, successThreshold, 1)],
    [`${name}.failure`, least(probe.failureThreshold, failureThreshold, 1)],
    [`${name}.grace`, least(grace, graceSeconds, 1) * 1000],
  ];
}

type Handler = LifecycleHandler & Probe & { sleep?: { seconds?: number } };

/** `undefined`: nothing is asked for. */
function planAsk(
  name: string,
  { exec, httpGet, tcpSocket, grpc, sleep }: Handler,
  spec: BatchContainerSpec,
  runtime: BatchRuntime,
): PlannedAsk | undefined {
  const { container } = spec;
  if (exec) {
    const what = `${name} command of container ${container.name}`;
    const content = encodeWords(what, runtime.exec(spec, []), exec.command ?? []);
    return { name, settings: [[name, "exec"]], content };
  }
  if (httpGet)
    return { name, settings: [[name, "http"]], content: httpRequest(httpGet, container) };
  if (tcpSocket) {
    const { host, port } = address(tcpSocket, container);
    const content = nulSeparated("host", [host, String(port)]);
    return { name, settings: [[name, "tcp"]], content };
  }
  if (grpc) return planGrpc(name, grpc, container);
  if (sleep === undefined) return undefined;
  const seconds = Math.max(0, Math.trunc(sleep.seconds ?? 0));
  return {
    name,
    settings: [
      [name, "sleep"],
      [`${name}.seconds`, seconds],
    ],
  };
}

/** Host, port and all that is sent, as `il_grpc` reads them. */
function planGrpc(
  name: string,
  { port: asked, service }: GRPCAction,
  container: Container,
): PlannedAsk {
  const { host, port } = address({ port: asked }, container);
  const authority = `${host}:${port}`;
  const bytes = healthRequest(authority, service ?? "");
  if (bytes === undefined) {
    throw new PluginError(
      "rejected",
      `The ${name} probe of container ${container.name} names a gRPC service of more than ${MOST_SERVICE_BYTES} bytes.`,
    );
  }
  const late = `timeout: health rpc to ${authority} did not complete in time`;
  return {
    name,
    settings: [
      [name, "grpc"],
      [`${name}.late`, late],
    ],
    content: nulSeparated("request", [host, String(port), printable(bytes)]),
  };
}

/** Scheme, host, port and the whole request, as `il_http` reads them. */
function httpRequest(action: HTTPGetAction, container: Container): Uint8Array {
  const { host, port } = address(action, container);
  const url = probeUrl(action, host, port);
  const headers = probeHeaders(action);
  const pairs = headers.flatMap((header, index) =>
    index % 2 === 0 ? [[header, headers[index + 1] ?? ""] as const] : [],
  );
  for (const [header, value] of pairs) {
    // Else a header could hold a second request.
    if (/^[\w!#$%&'*+.^`|~-]+$/.test(header) && !/[\r\n\0]/.test(value)) continue;
    throw new PluginError(
      "rejected",
      `A probe or hook of container ${container.name} has an HTTP header that cannot be sent: ${JSON.stringify(header)}.`,
    );
  }
  const hasHost = pairs.some(([header]) => header.toLowerCase() === "host");
  const lines = [
    `GET ${url.pathname}${url.search} HTTP/1.1`,
    ...(hasHost ? [] : [`Host: ${url.host}`]),
    ...pairs.map(([header, value]) => `${header}: ${value}`),
    "",
    "",
  ];
  return nulSeparated("request", [
    url.protocol.slice(0, -1),
    host,
    String(port),
    lines.join("\r\n"),
  ]);
}

function address(
  { host, port }: Pick<TCPSocketAction, "host" | "port">,
  { name, ports }: Container,
): { host: string; port: number } {
  const number = portNumber(port, ports);
  if (number === undefined) {
    throw new PluginError(
      "rejected",
      `A probe or hook of container ${name} names the port ${JSON.stringify(port)}, which the container does not have.`,
    );
  }
  if (host === undefined || host === "") return { host: HOST, port: number };
  // A path of bash's: /dev/tcp/HOST/PORT.
  if (/^[A-Za-z0-9:._-]{1,253}$/.test(host)) return { host, port: number };
  throw new PluginError(
    "rejected",
    `A probe or hook of container ${name} names the host ${JSON.stringify(host.slice(0, 80))}, which is none.`,
  );
}
