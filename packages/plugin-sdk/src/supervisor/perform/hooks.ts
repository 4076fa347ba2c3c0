import { setTimeout as wait } from "node:timers/promises";
import type { Container, HTTPGetAction, LifecycleHandler } from "kubernetes-types/core/v1.js";
import type { Dispatcher } from "undici";
import { request } from "undici";
import type { ContainerHandle, ContainerRuntime } from "../../runtime/container-runtime.ts";
import { probeUrl } from "../probes/look-http.ts";
import { dispatcherThrough, type PodPort, podPort } from "../probes/pod-port.ts";

/** `sleep` came with Kubernetes 1.29; the types know it as part of the handler. */
type Handler = LifecycleHandler & { sleep?: { seconds?: number } };

/**
 * Run a lifecycle hook. Throws an `Error` in words for the pod's owner when it fails; rejects with the signal's reason
 * when aborted. An HTTP answer of any status is success, as with a kubelet.
 */
export async function runHook(
  parts: { runtime: ContainerRuntime; dispatcher: Dispatcher },
  handle: ContainerHandle,
  container: Container,
  handler: Handler,
  signal: AbortSignal,
): Promise<void> {
  if (handler.exec !== undefined) {
    const argv = handler.exec.command ?? [];
    const { exitCode, output } = await parts.runtime.exec(
      handle,
      argv,
      { maxOutputBytes: 1024 },
      signal,
    );
    if (exitCode !== 0) {
      throw new Error(
        `command '${argv.join(" ")}' exited with ${exitCode}: ${output}, message: ${JSON.stringify(output)}`,
      );
    }
  } else if (handler.httpGet !== undefined) {
    const { httpGet } = handler;
    const target = await podPort(parts.runtime, handle, container, httpGet, signal);
    if (target === undefined) {
      throw new Error(`the port ${httpGet.port} of this pod cannot be reached from its host`);
    }
    await ask(parts.dispatcher, httpGet, target, signal);
  } else if (handler.sleep !== undefined) {
    await wait((handler.sleep.seconds ?? 0) * 1000, undefined, { signal });
  }
}

async function ask(
  direct: Dispatcher,
  action: HTTPGetAction,
  { host, port, open }: PodPort,
  signal: AbortSignal,
): Promise<void> {
  const own = open === undefined ? undefined : dispatcherThrough(open, signal);
  try {
    const headers = (action.httpHeaders ?? []).flatMap(({ name, value }) => [name, value]);
    const { body } = await request(probeUrl(action, host, port), {
      dispatcher: own ?? direct,
      signal,
      headers: [...headers, "Connection", "close"],
    });
    await body.dump();
  } finally {
    await own?.destroy();
  }
}
