import { request } from "node:https";
import type { Node, Pod } from "kubernetes-types/core/v1.js";
import { expect } from "vitest";
import { podManifest } from "../harness/manifest.ts";
import type { System } from "../harness/system.ts";
import { waitUntil } from "../systems/wait-until.ts";

/** What there is to do for a virtual node, once: each part of it needs a right of its own. */
export class Story {
  readonly #system: System;

  constructor(system: System) {
    this.#system = system;
  }

  kubectl(...args: string[]): Promise<string> {
    return this.#system.kubectl.run(args);
  }

  /** Each a manifest in JSON. */
  apply(...manifests: string[]): Promise<string> {
    const items = manifests.map((manifest) => JSON.parse(manifest) as object);
    const input = JSON.stringify({ apiVersion: "v1", kind: "List", items });
    return this.#system.kubectl.run(["apply", "-f", "-"], { input });
  }

  /** A pod that names whatever a pod can name: it runs as soon as that is there. */
  async podWithEverything(name: string, namespace = "default"): Promise<void> {
    const manifest = podManifest(name, {
      command: `echo $WORD $SECRET; cat /all/config /all/secret; test -s /all/token && echo token; env | grep -c ^KUBERNETES_SERVICE_HOST=`,
      spec: {
        volumes: [
          {
            name: "all",
            projected: {
              sources: [
                { configMap: { name: `${name}-config`, items: [{ key: "word", path: "config" }] } },
                { secret: { name: `${name}-secret`, items: [{ key: "word", path: "secret" }] } },
                { serviceAccountToken: { path: "token" } },
              ],
            },
          },
        ],
      },
      container: {
        env: [
          { name: "WORD", valueFrom: { configMapKeyRef: { name: `${name}-config`, key: "word" } } },
          { name: "SECRET", valueFrom: { secretKeyRef: { name: `${name}-secret`, key: "word" } } },
        ],
        volumeMounts: [{ name: "all", mountPath: "/all" }],
      },
    });
    const inNamespace = ["-n", namespace] as const;
    await this.#system.kubectl.run(["apply", ...inNamespace, "-f", "-"], { input: manifest });
    await waitUntil("the pod waits for what it names", async () => {
      const events = await this.kubectl("get", "events", ...inNamespace);
      return new RegExp(`FailedMount.*pod/${name} .*not found`).test(events);
    });
    const literal = "--from-literal=word";
    await this.kubectl("create", "configmap", `${name}-config`, `${literal}=one`, ...inNamespace);
    await this.kubectl(
      "create",
      "secret",
      "generic",
      `${name}-secret`,
      `${literal}=two`,
      ...inNamespace,
    );
    await waitUntil(
      "the pod has ended well",
      async () => (await this.#pod(name, namespace)).status?.phase === "Succeeded",
    );
    expect(await this.kubectl("logs", name, ...inNamespace)).toMatch(/^one two\nonetwotoken\n1\n$/);
    await this.kubectl("delete", "pod", name, ...inNamespace);
  }

  /** A pod that runs until somebody deletes it. */
  async runs(name: string): Promise<void> {
    await this.apply(podManifest(name, { command: "exec sleep 1000" }));
    await this.#system.podInPhase(name, "Running");
  }

  async node(): Promise<Node> {
    return this.#system.kubectl.json<Node>(["get", "node", this.#system.nodeName]);
  }

  /** Asks the kubelet API of the node, believing only this authority. Answers with the status code. */
  async askKubelet(path: string, ca: string, token: string): Promise<number> {
    const port = (await this.node()).status?.daemonEndpoints?.kubeletEndpoint?.Port;
    return new Promise((resolve, reject) => {
      const asking = request(
        {
          host: "127.0.0.1",
          port,
          path,
          ca,
          agent: false,
          headers: { authorization: `Bearer ${token}` },
        },
        (response) => {
          response.resume();
          response.on("end", () => resolve(response.statusCode ?? 0));
        },
      );
      asking.on("error", reject);
      asking.end();
    });
  }

  /** Approves what the node asks for, as soon as it does. */
  async approve(signer: string): Promise<void> {
    const name = await waitUntil(`a request for ${signer}`, async () => {
      const { items } = await this.#system.kubectl.json<{
        items: {
          metadata: { name: string };
          spec: { signerName: string };
          status?: { conditions?: unknown[] };
        }[];
      }>(["get", "csr"]);
      return items.find(
        ({ spec, status }) => spec.signerName === signer && !status?.conditions?.length,
      )?.metadata.name;
    });
    await this.kubectl("certificate", "approve", name);
  }

  async #pod(name: string, namespace: string): Promise<Pod> {
    return this.#system.kubectl.json<Pod>(["get", "pod", name, "-n", namespace]);
  }
}
