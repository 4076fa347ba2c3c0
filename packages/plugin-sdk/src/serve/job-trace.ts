import { type RetrievedPodData, readTraceContext, type TraceContext } from "@interlink/protocol";
import type { Container, Pod } from "kubernetes-types/core/v1.js";

/** Annotations of a pod at a plugin: in which trace it was created. Set by the plugin's door, whatever the pod said. */
const TRACEPARENT = "interlink.virtual-kubelet.io/traceparent";
const TRACESTATE = "interlink.virtual-kubelet.io/tracestate";
/** Annotation by which a pod asks for the variables `TRACEPARENT` and `TRACESTATE` in its containers: `"true"`. */
export const WANTS_TRACE_ANNOTATION = "interlink.virtual-kubelet.io/trace-context";

/** The trace that a pod was created in, to hand to its job. */
export function traceOf(pod: Pod): TraceContext | undefined {
  const { [TRACEPARENT]: traceparent, [TRACESTATE]: tracestate } = pod.metadata?.annotations ?? {};
  return readTraceContext({ traceparent, tracestate });
}

/** As the environment of a job. */
export function traceVariables(trace: TraceContext | undefined): { name: string; value: string }[] {
  if (trace === undefined) return [];
  const { traceparent, tracestate } = trace;
  return [
    { name: "TRACEPARENT", value: traceparent },
    ...(tracestate === undefined ? [] : [{ name: "TRACESTATE", value: tracestate }]),
  ];
}

/**
 * The pod as it goes on to the provider, which keeps it: annotated with its trace, and with nobody else's. Its containers
 * keep the environment that they declare, unless the pod asks for the trace there; what a container sets itself stands.
 */
export function withTrace(
  data: RetrievedPodData,
  trace: TraceContext | undefined,
): RetrievedPodData {
  const { metadata, spec } = data.pod;
  const { [TRACEPARENT]: _parent, [TRACESTATE]: _state, ...own } = metadata?.annotations ?? {};
  const isMarked = _parent !== undefined || _state !== undefined;
  if (trace === undefined && !isMarked) return data;
  const annotations = {
    ...own,
    ...(trace && { [TRACEPARENT]: trace.traceparent }),
    ...(trace?.tracestate !== undefined && { [TRACESTATE]: trace.tracestate }),
  };
  const pod: Pod = { ...data.pod, metadata: { ...metadata, annotations } };
  if (spec !== undefined && own[WANTS_TRACE_ANNOTATION] === "true") {
    const told = traceVariables(trace);
    pod.spec = {
      ...spec,
      containers: spec.containers.map((one) => withVariables(one, told)),
      ...(spec.initContainers && {
        initContainers: spec.initContainers.map((one) => withVariables(one, told)),
      }),
    };
  }
  return { ...data, pod };
}

function withVariables(
  container: Container,
  variables: readonly { name: string; value: string }[],
): Container {
  const { env = [] } = container;
  const declared = new Set(env.map(({ name }) => name));
  const added = variables.filter(({ name }) => !declared.has(name));
  return added.length === 0 ? container : { ...container, env: [...added, ...env] };
}
