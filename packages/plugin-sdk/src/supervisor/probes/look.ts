import type { Container, Probe } from "kubernetes-types/core/v1.js";
import type { Dispatcher } from "undici";
import type { ContainerHandle, ContainerRuntime } from "../../runtime/container-runtime.ts";
import { withDeadline } from "../with-deadline.ts";
import { lookGrpc } from "./look-grpc.ts";
import { lookHttp } from "./look-http.ts";
import { lookTcp } from "./look-tcp.ts";
import { podPort } from "./pod-port.ts";
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
  const target = await podPort(runtime, handle, container, asked, signal);
  if (target === undefined) {
    const output = `the port ${asked.port} of this pod cannot be reached from its host`;
    return { ok: false, output };
  }
  if (httpGet !== undefined) return lookHttp(dispatcher, httpGet, target, signal);
  if (tcpSocket !== undefined) return lookTcp(target, signal);
  return lookGrpc(target, grpc?.service ?? "", signal);
}
