import {
  type Caller,
  ProtocolError,
  readAttachQuery,
  readCreateRequest,
  readDeleteRequest,
  readExecQuery,
  readLogRequest,
  readPortForwardQuery,
  readStatusRequest,
} from "@interlink/protocol";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Pod } from "kubernetes-types/core/v1.js";
import { readBody } from "../http/body.ts";
import { mayTouch } from "./namespaces.ts";
import type { PodNamespaces } from "./pod-namespaces.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Who calls; `undefined` where nobody is asked. */
    caller: Caller | undefined;
  }
}

/** A pod that a request is about, by its own words. */
interface NamedPod {
  uid: string;
  namespace: string;
  /** The status question about it; absent where its answer is judged instead. */
  pod?: Pod;
}

export interface NamespaceGuardOptions {
  pods: PodNamespaces;
  /** The namespace that the plugin says a pod is in; `undefined` if it knows no such pod. */
  ask(pod: Pod, reply: FastifyReply): Promise<string | undefined>;
}

/** Of the requests that may come from a caller with namespaces, the pods. A path that is not here is refused to it. */
const PODS_OF: Readonly<Record<string, (request: FastifyRequest) => readonly NamedPod[]>> = {
  // Also before a create: one with another's UID is answered with the job of that, and must not be learned from.
  "/create": (request) => [named(readBody(request, readCreateRequest).pod, true)],
  "/update": (request) => [named(readBody(request, readCreateRequest).pod, true)],
  "/delete": (request) => [named(readBody(request, readDeleteRequest), true)],
  // Its answer leaves out what is of other namespaces (routes/status.ts), so nobody is asked twice.
  "/status": (request) => readBody(request, readStatusRequest).map((pod) => named(pod, false)),
  "/getLogs": (request) => [asked(readBody(request, readLogRequest))],
  "/exec": (request) => [asked(readExecQuery(request.url))],
  "/attach": (request) => [asked(readAttachQuery(request.url))],
  "/port-forward": (request) => [asked(readPortForwardQuery(request.url))],
  // These are about no pod, or leave out what the caller may not see.
  "/status/stream": () => [],
  "/stats": () => [],
  "/capabilities": () => [],
  "/pinglink": () => [],
  "/ping": () => [],
  "/setKubeCFG": () => [],
  "/updateCache": () => [],
  "/healthz": () => [],
  "/readyz": () => [],
  "/metrics": () => [],
};

/**
 * Refuses, 403, what a caller with namespaces asks about pods of others: by the namespace that the request says, and by
 * the one in which the pod really is, because plugins find pods by UID alone.
 */
export function guardNamespaces(app: FastifyInstance, options: NamespaceGuardOptions): void {
  app.addHook("preHandler", async (request, reply) => {
    if (request.caller?.namespaces === undefined) return;
    const podsOf = PODS_OF[request.routeOptions.url ?? ""];
    if (podsOf === undefined) throw refusal("this path");
    for (const { uid, namespace, pod } of podsOf(request)) {
      if (!mayTouch(request.caller, namespace)) throw refusal(`namespace ${namespace}`);
      const known = options.pods.of(uid);
      const real = known ?? (pod === undefined ? undefined : await options.ask(pod, reply));
      // Not in which one it is: that is the other's business.
      if (real !== undefined && !mayTouch(request.caller, real)) {
        throw refusal("the namespace of the pod with this UID");
      }
    }
  });
  app.addHook("onResponse", async (request, reply) => {
    if (request.routeOptions.url !== "/create" || reply.statusCode !== 200) return;
    const { uid, namespace } = named(readBody(request, readCreateRequest).pod, false);
    options.pods.learn(uid, namespace);
  });
}

function named(pod: Pod, isAskedFor: boolean): NamedPod {
  const { uid = "", namespace = "" } = pod.metadata ?? {};
  return { uid, namespace, ...(isAskedFor ? { pod } : {}) };
}

function asked(about: { Namespace: string; PodName: string; PodUID: string }): NamedPod {
  const { Namespace: namespace, PodName: name, PodUID: uid } = about;
  return { uid, namespace, pod: { metadata: { name, namespace, uid } } };
}

function refusal(what: string): ProtocolError {
  return new ProtocolError(
    "refused",
    `the caller's credentials do not reach ${what}; ask the site to allow it`,
    { httpStatus: 403 },
  );
}
