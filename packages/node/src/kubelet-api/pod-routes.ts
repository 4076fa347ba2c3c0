import type { Pod } from "kubernetes-types/core/v1.js";
import type { KubeletBackend } from "./backend.ts";
import { KubeletError } from "./kubelet-error.ts";
import { parseLogOptions } from "./log-options.ts";
import { sendLog } from "./log-stream.ts";
import { checkLogTarget } from "./log-target.ts";
import { type App, queryOf } from "./routes.ts";

/** `/pods`, `/runningpods/`, `/containerLogs`. */
export function podRoutes(app: App, backend: KubeletBackend): void {
  for (const path of ["/pods", "/pods/"]) app.get(path, async () => podList(backend.pods()));
  for (const path of ["/runningpods", "/runningpods/"])
    app.get(path, async () => podList(backend.pods().filter(isRunning).map(runtimeView)));
  app.get<{ Params: Record<"namespace" | "pod" | "container", string> }>(
    "/containerLogs/:namespace/:pod/:container",
    async (request, reply) => {
      const { namespace, pod: podName, container } = request.params;
      const wanted = parseLogOptions(queryOf(request));
      const pod = backend.pod(namespace, podName);
      checkLogTarget(pod, podName, container, wanted.previous);
      const left = new AbortController();
      reply.raw.once("close", () => left.abort(new Error("the reader left")));
      const log = backend.logs(pod, container, wanted, left.signal);
      try {
        await sendLog(log, reply.raw, wanted.limitBytes, left.signal);
        reply.hijack();
      } finally {
        left.abort(new Error("the log was sent"));
      }
    },
  );
  app.all("/checkpoint/*", async () => {
    throw new KubeletError("not-implemented", "This virtual node does not offer checkpoints.");
  });
}

function podList(items: Pod[]): object {
  return { kind: "PodList", apiVersion: "v1", metadata: {}, items };
}

function isRunning(pod: Pod): boolean {
  const { containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {};
  return [...containerStatuses, ...initContainerStatuses].some((one) => one.state?.running);
}

/** As much of a pod as a container runtime would know. */
function runtimeView(pod: Pod): Pod {
  const { name = "", namespace = "", uid = "" } = pod.metadata ?? {};
  const containers = (pod.spec?.containers ?? []).map(({ name: container, image = "" }) => ({
    name: container,
    image,
  }));
  return { metadata: { name, namespace, uid }, spec: { containers } };
}
