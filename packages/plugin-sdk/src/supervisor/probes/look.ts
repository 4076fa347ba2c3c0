import type { Container, ContainerPort, Probe } from "kubernetes-types/core/v1.js";
import type { Dispatcher } from "undici";
import type { ContainerHandle, ContainerRuntime } from "../../runtime/container-runtime.ts";
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
  const timeout = AbortSignal.timeout(seconds * 1000);
  const limited = AbortSignal.any([signal, timeout]);
  try {
    if (probe.exec !== undefined) {
      const argv = probe.exec.command ?? [];
      const { exitCode, output } = await parts.runtime.exec(
        handle,
        argv,
        { maxOutputBytes: MAX_OUTPUT_BYTES },
        limited,
      );
      return { ok: exitCode === 0, output };
    }
    const address = await parts.runtime.probeAddress(handle.uid, limited);
    if (probe.httpGet !== undefined) {
      const { httpGet } = probe;
      const port = portNumber(httpGet.port, container.ports);
      const host = httpGet.host || address;
      if (host === undefined || port === undefined) return unreachable(httpGet.port);
      return await lookHttp(parts.dispatcher, httpGet, host, port, limited);
    }
    if (probe.tcpSocket !== undefined) {
      const port = portNumber(probe.tcpSocket.port, container.ports);
      const host = probe.tcpSocket.host || address;
      if (host === undefined || port === undefined) return unreachable(probe.tcpSocket.port);
      return await lookTcp(host, port, limited);
    }
    if (probe.grpc !== undefined) {
      if (address === undefined) return unreachable(probe.grpc.port);
      return await lookGrpc(address, probe.grpc.port, probe.grpc.service ?? "", limited);
    }
    return undefined;
  } catch (error) {
    if (timeout.aborted && !signal.aborted) {
      return { ok: false, output: `command timed out after ${seconds}s` };
    }
    if (signal.aborted) return undefined;
    throw error;
  }
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

function unreachable(port: number | string): ProbeOutcome {
  return { ok: false, output: `the port ${port} of this pod cannot be reached from its host` };
}
