import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { Kubectl } from "../harness/kubectl.ts";
import type { ClusterOptions, ClusterUser, TestCluster } from "../harness/test-cluster.ts";
import { readAuditLog, type ServerRequest } from "./audit-log.ts";
import { freePorts } from "./free-ports.ts";
import type { KubernetesSystem } from "./kubernetes-binaries.ts";
import { type KubernetesFiles, writeKubernetesFiles } from "./kubernetes-files.ts";
import {
  apiServerFlags,
  controllerManagerFlags,
  etcdFlags,
  type KubernetesPorts,
  schedulerFlags,
} from "./kubernetes-flags.ts";
import { OwnedProcess } from "./owned-process.ts";
import { waitUntil } from "./wait-until.ts";

const READY_MS = 60_000;

/**
 * A real control plane, for one test file: etcd, kube-apiserver, kube-controller-manager and kube-scheduler on free
 * loopback ports, with all they keep in one directory. Any number run beside each other.
 */
export class KubernetesCluster implements TestCluster {
  readonly kubeconfigFile: string;
  readonly clientCaFile: string;
  readonly #system: KubernetesSystem;
  readonly #directory: string;
  readonly #files: KubernetesFiles;
  readonly #ports: KubernetesPorts;
  readonly #options: ClusterOptions;
  readonly #processes = new Map<string, OwnedProcess>();

  private constructor(
    system: KubernetesSystem,
    directory: string,
    files: KubernetesFiles,
    ports: KubernetesPorts,
    options: ClusterOptions,
  ) {
    this.#options = options;
    this.#system = system;
    this.#directory = directory;
    this.#files = files;
    this.#ports = ports;
    this.kubeconfigFile = files.adminConfig;
    this.clientCaFile = files.caCertificate;
  }

  /** Resolves when pods can be created. The directory is made, and removed by {@link close}. */
  static async start(
    system: KubernetesSystem,
    directory: string,
    options: ClusterOptions = {},
  ): Promise<KubernetesCluster> {
    for (let tries = 1; ; tries += 1) {
      const [apiServer = 0, etcdClient = 0, etcdPeer = 0] = await freePorts(3);
      const files = await writeKubernetesFiles(directory, `https://127.0.0.1:${apiServer}`);
      const ports = { apiServer, etcdClient, etcdPeer };
      const cluster = new KubernetesCluster(system, directory, files, ports, options);
      try {
        await cluster.#bringUp();
        return cluster;
      } catch (error) {
        await cluster.close();
        // Someone was faster at a port that was free.
        if (tries === 3 || !/address already in use/.test(String(error))) throw error;
      }
    }
  }

  async credentialsFor(user: ClusterUser): Promise<string> {
    if ("user" in user) {
      return this.#files.kubeconfigFor(user.user, user.groups, { seconds: user.seconds });
    }
    const { namespace, serviceAccount } = user;
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${serviceAccount}/token`;
    const input = JSON.stringify({
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      spec: { expirationSeconds: 3600 },
    });
    const kubectl = new Kubectl(this.kubeconfigFile);
    const answer = await kubectl.run(["create", "--raw", path, "-f", "-"], { input });
    const { status } = JSON.parse(answer) as { status: { token: string } };
    return this.#files.kubeconfigFor(serviceAccount, [], { token: status.token });
  }

  requests(): Promise<ServerRequest[]> {
    return readAuditLog(this.#files.auditLog);
  }

  /** Kills kube-apiserver, and with it its companions on the same machine. What is stored stays. */
  async pause(): Promise<void> {
    const killed = [...this.#processes.values()].filter(({ name }) => name !== "etcd");
    for (const { name } of killed) this.#processes.delete(name);
    await Promise.all(killed.map((process) => process.kill9()));
  }

  /**
   * Starts them again, on the same port. The companions are new ones: their predecessors would still be waiting, up to
   * a minute, for the next try to reach the API server, and schedule nothing.
   */
  async resume(): Promise<void> {
    const { minorVersion } = this.#system;
    this.#launch("kube-apiserver", apiServerFlags(this.#files, this.#ports));
    await this.#answers(["get", "--raw", "/readyz"]);
    this.#launch(
      "kube-controller-manager",
      controllerManagerFlags(this.#files, minorVersion, this.#options.certificateSeconds),
    );
    this.#launch("kube-scheduler", schedulerFlags(this.#files, minorVersion));
  }

  /** etcd is compacted; kube-apiserver, which remembers by itself, is started anew. */
  async forgetHistory(): Promise<void> {
    await this.pause();
    const etcd = async (path: string, body: object): Promise<{ header: { revision: string } }> => {
      const answer = await fetch(`http://127.0.0.1:${this.#ports.etcdClient}/v3/${path}`, {
        method: "POST",
        body: JSON.stringify(body),
      });
      const text = await answer.text();
      if (!answer.ok) throw new Error(`etcd answers ${path} with ${answer.status}: ${text}`);
      return JSON.parse(text) as { header: { revision: string } };
    };
    const { header } = await etcd("maintenance/status", {});
    await etcd("kv/compaction", { revision: header.revision, physical: true });
    await this.resume();
  }

  async close(): Promise<void> {
    // Nothing of it is kept, so nothing has to end in good order.
    await Promise.all([...this.#processes.values()].map((process) => process.kill9()));
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #bringUp(): Promise<void> {
    const data = join(this.#directory, "etcd");
    await mkdir(data, { mode: 0o700 });
    this.#launch("etcd", etcdFlags(data, this.#ports));
    await this.resume();
    // No pod is admitted in a namespace without it; the controller manager makes it.
    await this.#answers(["get", "serviceaccount", "default"]);
  }

  #launch(name: string, flags: string[]): void {
    const command = [join(this.#system.folder, name), ...flags];
    const log = join(this.#directory, `${name}.log`);
    this.#processes.set(name, new OwnedProcess(name, command, log));
  }

  async #answers(question: string[]): Promise<void> {
    const kubectl = new Kubectl(this.kubeconfigFile);
    const ended = (): OwnedProcess | undefined =>
      [...this.#processes.values()].find(({ isOver }) => isOver);
    try {
      await waitUntil(
        `kubectl ${question.join(" ")} succeeds`,
        async () => ended() !== undefined || (await kubectl.try(question)).code === 0,
        READY_MS,
      );
    } catch (error) {
      const server = this.#processes.get("kube-apiserver");
      throw new Error(`Kubernetes does not become ready; kube-apiserver says:\n${server?.log}`, {
        cause: error,
      });
    }
    const over = ended();
    if (over !== undefined) throw new Error(`${over.name} has ended:\n${over.log}`);
  }
}
