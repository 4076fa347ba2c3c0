import type { KubeObject } from "../api/object.ts";
import { systemCall } from "../rest/call.ts";
import { createObject } from "../rest/create.ts";
import { type Controller, type ControllerParts, Lifetime } from "./controller.ts";
import { KeyQueue } from "./key-queue.ts";

/** Every living namespace has a service account `default` and a ConfigMap `kube-root-ca.crt`. */
export function serviceAccountController(parts: ControllerParts, caPem: string): Controller {
  const { storage, logger } = parts;
  const lifetime = new Lifetime();
  const queue = new KeyQueue("serviceaccounts", logger, (namespace) => {
    const found = storage.find("namespaces", undefined, namespace);
    if (!found || found.metadata.deletionTimestamp) return;
    ensure("serviceaccounts", namespace, {
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: { name: "default" },
    });
    ensure("configmaps", namespace, {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: {
        name: "kube-root-ca.crt",
        annotations: {
          "kubernetes.io/description":
            "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.",
        },
      },
      data: { "ca.crt": caPem },
    });
  });

  function ensure(plural: string, namespace: string, object: KubeObject): void {
    if (storage.find(plural, namespace, object.metadata.name ?? "")) return;
    const target = { definition: storage.must(plural), namespace };
    createObject(storage, target, object, systemCall("system:serviceaccount-controller"));
  }

  return {
    start: () => {
      const namespaces = storage.storeOf("namespaces");
      for (const object of namespaces.values()) queue.add(object.metadata.name ?? "");
      lifetime.add(
        namespaces.subscribe((event) => {
          if (event.type === "ADDED") queue.add(event.key);
        }),
      );
      for (const plural of ["serviceaccounts", "configmaps"]) {
        lifetime.add(
          storage.storeOf(plural).subscribe((event) => {
            if (event.type === "DELETED") queue.add(event.object.metadata.namespace ?? "");
          }),
        );
      }
    },
    flush: () => queue.flush(),
    stop: () => {
      lifetime.end();
      queue.stop();
    },
  };
}
