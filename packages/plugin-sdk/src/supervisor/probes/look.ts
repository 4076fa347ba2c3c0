import type { Container, ContainerPort, Probe } from "kubernetes-types/core/v1.js";
import type { Dispatcher } from "undici";
import type { ContainerHandle, ContainerRuntime } from "../../runtime/container-runtime.ts";
import { withDeadline } from "../with-deadline.ts";
import { lookGrpc } from "./look-grpc.ts";
import { lookHttp } from "./look-http.ts";
import { lookTcp } from "./look-tcp.ts";
import type { ProbeOutcome } from "./probe-worker.ts";
import { probeDefaults } from "./probe-worker.ts";

/** As much of a probe's output as an event may carry. */
const MAX_OUTPUT_BYTES = 10 * 1024;

export interface LookParts {
  runtime: ContainerRuntime;
  /** For HTTP probes; certificates are not checked, as a kubelet does not. */
  dispatcher: Dispatcher;
}

/**
 * Look once at a container. Resolves with what was seen, `undefined` if no look could be made (then nothing is
 * concluded from it). Never takes longer than the probe's timeout.
 */
export async function look(
  parts: LookParts,
  handle: ContainerHandle,
  container: Container,
  probe: Probe,
  signal: AbortSignal,
): Promise<ProbeOutcome | undefined> {
  const seconds = Math.max(1, probe.timeoutSeconds ?? probeDefaults.timeoutSeconds);
  return withDeadline(signal, seconds * 1000, async (limited) => {
    try {
      return await lookOnce(parts, handle, container, probe, limited);
    } catch (error) {
      if (signal.aborted) return undefined;
      if (limited.aborted) return { ok: false, output: `command timed out after ${seconds}s` };
      throw error;
    }
  });
}

async function lookOnce(
  { runtime, dispatcher }: LookParts,
  handle: ContainerHandle,
  container: Container,
  { exec, httpGet, tcpSocket, grpc }: Probe,
  signal: AbortSignal,
): Promise<ProbeOutcome | undefined> {
  if (exec !== undefined) {
    const options = { maxOutputBytes: MAX_OUTPUT_BYTES };
    const { exitCode, output } = await runtime.exec(handle, exec.command ?? [], options, signal);
    return { ok: exitCode === 0, output };
  }
  const asked = httpGet ?? tcpSocket ?? grpc;
  if (asked === undefined) return undefined;
  const own = httpGet?.host ?? tcpSocket?.host;
  const host = own || (await runtime.probeAddress(handle.uid, signal));
  const port = portNumber(asked.port, container.ports);
  if (host === undefined || port === undefined) {
    const output = `the port ${asked.port} of this pod cannot be reached from its host`;
    return { ok: false, output };
  }
  if (httpGet !== undefined) return lookHttp(dispatcher, httpGet, host, port, signal);
  if (tcpSocket !== undefined) return lookTcp(host, port, signal);
  return lookGrpc(host, port, grpc?.service ?? "", signal);
}

/** A port by number or by the name it has in `ports`. */
export function portNumber(
  port: number | string,
  ports: readonly ContainerPort[] | undefined,
): number | undefined {
  const value =
    typeof port === "string" && !/^\d+$/.test(port)
      ? ports?.find(({ name }) => name === port)?.containerPort
      : Number(port);
  return value !== undefined && value > 0 && value < 65_536 ? value : undefined;
}
