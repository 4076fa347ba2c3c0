import type { Pod, PodSpec } from "kubernetes-types/core/v1.js";
import { as, type KubeObject } from "../api/object.ts";
import { definitions } from "../resources/definitions.ts";
import { type Call, systemCall } from "../rest/call.ts";
import { createObject } from "../rest/create.ts";
import { type Chance, Storage } from "../storage/storage.ts";

/** Time that stands still until it is told, and names that count up. */
export class FixedChance implements Chance {
  time = Date.parse("2026-01-02T03:04:05Z");
  #count = 0;

  now(): number {
    return this.time;
  }

  uuid(): string {
    this.#count += 1;
    return `00000000-0000-4000-8000-${String(this.#count).padStart(12, "0")}`;
  }

  letters(length: number): string {
    this.#count += 1;
    const digits = "bcdfghjklm";
    return String(this.#count)
      .padStart(length, "0")
      .replace(/\d/g, (digit) => digits[Number(digit)] ?? "");
  }
}

export const testCall: Call = systemCall("tester");

/** A storage with the namespaces default and kube-node-lease and the service account default. */
export function testStorage(chance: Chance = new FixedChance(), historySize = 100): Storage {
  const storage = new Storage(definitions, historySize, chance);
  for (const name of ["default", "kube-node-lease"]) {
    put(storage, "namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name } });
  }
  put(storage, "serviceaccounts", {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: { name: "default", namespace: "default" },
  });
  return storage;
}

export function put(storage: Storage, plural: string, object: KubeObject, group = ""): KubeObject {
  const definition = storage.must(plural, group);
  const namespace = definition.namespaced ? (object.metadata.namespace ?? "default") : undefined;
  return createObject(storage, { definition, namespace }, object, testCall);
}

export function podObject(name: string, spec: Partial<PodSpec> = {}): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name },
    spec: { containers: [{ name: "main", image: "busybox" }], ...spec },
  };
}

/** A node that is ready and big enough for most things. */
export function nodeObject(
  name: string,
  options: {
    taints?: object[];
    allocatable?: Record<string, string>;
    labels?: Record<string, string>;
    port?: number;
    unschedulable?: boolean;
  } = {},
): KubeObject {
  const time = "2026-01-02T03:04:05Z";
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name, labels: { "kubernetes.io/hostname": name, ...options.labels } },
    spec: {
      ...(options.taints ? { taints: options.taints } : {}),
      ...(options.unschedulable ? { unschedulable: true } : {}),
    },
    status: {
      capacity: options.allocatable ?? { cpu: "8", memory: "16Gi", pods: "110" },
      addresses: [{ type: "InternalIP", address: "127.0.0.1" }],
      daemonEndpoints: { kubeletEndpoint: { Port: options.port ?? 1 } },
      conditions: [
        {
          type: "Ready",
          status: "True",
          reason: "KubeletReady",
          message: "kubelet is posting ready status",
          lastHeartbeatTime: time,
          lastTransitionTime: time,
        },
      ],
      nodeInfo: {
        machineID: "",
        systemUUID: "",
        bootID: "",
        kernelVersion: "6.1",
        osImage: "test",
        containerRuntimeVersion: "test://1",
        kubeletVersion: "v1.33.0",
        kubeProxyVersion: "",
        operatingSystem: "linux",
        architecture: "amd64",
      },
    },
  };
}

export function podOf(object: KubeObject | undefined): Pod {
  if (!object) throw new Error("no such pod");
  return as<Pod>(object);
}
