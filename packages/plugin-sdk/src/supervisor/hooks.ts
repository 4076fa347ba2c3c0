import { setTimeout as wait } from "node:timers/promises";
import type { Container, LifecycleHandler } from "kubernetes-types/core/v1.js";
import type { Dispatcher } from "undici";
import { request } from "undici";
import type { ContainerHandle, ContainerRuntime } from "../runtime/container-runtime.ts";
import { portNumber } from "./probes/look.ts";
import { probeUrl } from "./probes/look-http.ts";

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
    const host = httpGet.host || (await parts.runtime.probeAddress(handle.uid, signal));
    const port = portNumber(httpGet.port, container.ports);
    if (host === undefined || port === undefined) {
      throw new Error(`the port ${httpGet.port} of this pod cannot be reached from its host`);
    }
    const headers = (httpGet.httpHeaders ?? []).flatMap(({ name, value }) => [name, value]);
    const { body } = await request(probeUrl(httpGet, host, port), {
      dispatcher: parts.dispatcher,
      signal,
      headers: [...headers, "Connection", "close"],
    });
    await body.dump();
  } else if (handler.sleep !== undefined) {
    await wait((handler.sleep.seconds ?? 0) * 1000, undefined, { signal });
  }
}
