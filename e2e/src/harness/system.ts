import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createKubeClient,
  isKubeError,
  type KubeClient,
  loadKubeCredentials,
  paths,
} from "@interlink/kube";
import type { Lease } from "kubernetes-types/coordination/v1.js";
import type { Node, Pod, PodStatus } from "kubernetes-types/core/v1.js";
import { waitUntil } from "../systems/wait-until.ts";
import { embeddedCluster } from "./embedded-cluster.ts";
import { Kubectl } from "./kubectl.ts";
import { Link } from "./link.ts";
import { Program } from "./program.ts";
import type { ClusterOptions, ClusterTarget, TestCluster } from "./test-cluster.ts";

/** The three programs between Kubernetes and the containers. */
export type Part = "node" | "server" | "plugin";
export const PARTS: readonly Part[] = ["node", "server", "plugin"];

export interface SystemOptions {
  /** Where pods run. */
  plugin:
    | { name: "process" }
    | { name: "docker"; dockerHost: string }
    /** One that listens already, at this address. */
    | { name: "given"; address: string };
  /** The Kubernetes above it; default the embedded one. */
  target?: ClusterTarget;
  /** The node reaches Kubernetes over a {@link Link} that the test may break. */
  breakable?: boolean;
  cluster?: ClusterOptions;
  /** Gives the node a kubeconfig (its text) of its own, and prepares the cluster for it. Default: it may do everything. */
  nodeUser?: (cluster: TestCluster, kubectl: Kubectl) => Promise<string>;
  /** Further flags of the node. */
  nodeFlags?: readonly string[];
  /** Further flags of each part; of one given twice the last counts. */
  flags?: Partial<Record<Part, readonly string[]>>;
  /** Environment of one part, for instance a crash point. */
  env?: Partial<Record<Part, Record<string, string>>>;
}

/**
 * A whole system for a test: a Kubernetes, embedded in this process or real; node, API server and plugin as the built programs in
 * processes of their own, which a test may kill and start again; and a real kubectl.
 */
export class System implements AsyncDisposable {
  readonly cluster: TestCluster;
  readonly kubectl: Kubectl;
  readonly directory: string;
  readonly nodeName = "virtual";
  #link: Link | undefined;
  #nodeKubeconfig: string;
  readonly #options: SystemOptions;
  readonly #parts = new Map<Part, Program>();
  /** For what is asked again and again: a kubectl for each question would be most of the work of a test. */
  readonly kube: KubeClient;

  private constructor(
    cluster: TestCluster,
    kube: KubeClient,
    directory: string,
    options: SystemOptions,
  ) {
    this.cluster = cluster;
    this.kube = kube;
    this.directory = directory;
    this.kubectl = new Kubectl(cluster.kubeconfigFile);
    this.#nodeKubeconfig = cluster.kubeconfigFile;
    this.#options = options;
  }

  static async start(options: SystemOptions): Promise<System> {
    const directory = await mkdtemp(join(tmpdir(), "interlink-e2e-"));
    const { target = embeddedCluster } = options;
    const cluster = await target.start(join(directory, "cluster"), options.cluster);
    const { kubeconfigFile } = cluster;
    const kube = createKubeClient(await loadKubeCredentials({ kubeconfigFile }));
    const system = new System(cluster, kube, directory, options);
    try {
      await system.#makeNodeUser();
      if (options.breakable === true) await system.#connect();
      const given = options.plugin.name === "given";
      const ours = PARTS.filter((part) => part !== "plugin" || !given);
      await Promise.all(ours.map((part) => system.launch(part, options.env?.[part])));
      await system.nodeReady();
    } catch (error) {
      await system[Symbol.asyncDispose]();
      throw error;
    }
    return system;
  }

  /** The way from the node to Kubernetes, of a system that was asked for with `breakable`. */
  get link(): Link {
    if (this.#link === undefined) throw new Error("This system was not started with breakable");
    return this.#link;
  }

  /** Gives the node a kubeconfig of its own, which names the link. */
  async #connect(): Promise<void> {
    const text = await readFile(this.#nodeKubeconfig, "utf8");
    const [url = ""] = /https:\/\/[^"\s]+/.exec(text) ?? [];
    const { hostname, port } = new URL(url);
    this.#link = await Link.to(hostname, Number(port));
    const linked = text.replaceAll(url, `https://127.0.0.1:${this.#link.port}`);
    this.#nodeKubeconfig = join(this.directory, "linked.kubeconfig");
    await writeFile(this.#nodeKubeconfig, linked, { mode: 0o600 });
  }

  async #makeNodeUser(): Promise<void> {
    const { nodeUser } = this.#options;
    if (nodeUser === undefined) return;
    this.#nodeKubeconfig = join(this.directory, "node.kubeconfig");
    const text = await nodeUser(this.cluster, this.kubectl);
    await writeFile(this.#nodeKubeconfig, text, { mode: 0o600 });
  }

  /** Start one part (again), and wait until it serves. */
  async launch(part: Part, env: Record<string, string> = {}): Promise<Program> {
    const program = new Program(this.#arguments(part), env);
    this.#parts.set(part, program);
    // A crash point may end it before it serves; that is what such a test waits for itself.
    if (env["INTERLINK_CRASH_AT"] === undefined) await program.ready();
    return program;
  }

  part(part: Part): Program {
    const program = this.#parts.get(part);
    if (program === undefined) throw new Error(`The ${part} was never started`);
    return program;
  }

  async kill9(part: Part): Promise<void> {
    await this.part(part).kill9();
  }

  async nodeReady(): Promise<void> {
    await waitUntil("the virtual node is Ready", async () => {
      const node = await this.node();
      return node.status?.conditions?.some(
        ({ type, status }) => type === "Ready" && status === "True",
      );
    });
  }

  /** The Node object; rejects when there is none. */
  node(): Promise<Node> {
    return this.kube.get<Node>(paths.nodes.named(this.nodeName));
  }

  /** The node's lease; rejects when there is none. */
  lease(): Promise<Lease> {
    return this.kube.get<Lease>(paths.leases.named("kube-node-lease", this.nodeName));
  }

  /** The pod's object, or undefined when there is none. */
  async pod(name: string): Promise<Pod | undefined> {
    try {
      return await this.kube.get<Pod>(paths.pods.named("default", name));
    } catch (error) {
      if (isKubeError(error, "not-found")) return undefined;
      throw error;
    }
  }

  /** The pod's object, as soon as it is in one of these phases. */
  podInPhase(name: string, phase: string | string[], timeoutMs?: number): Promise<Pod> {
    const phases = [phase].flat();
    const isThere = async (): Promise<Pod | undefined> => {
      const pod = await this.pod(name);
      return phases.includes(pod?.status?.phase ?? "") ? pod : undefined;
    };
    return waitUntil(`pod ${name} is ${phases.join(" or ")}`, isThere, timeoutMs);
  }

  /**
   * Writes a pod's status as a controller does, over whatever the node writes meanwhile. By a replace of the raw object:
   * kubectl 1.20 cannot patch a subresource.
   */
  async writePodStatus(name: string, change: (status: PodStatus) => void): Promise<void> {
    await waitUntil(`the status of ${name} is written`, async () => {
      const pod = await this.pod(name);
      if (pod?.status === undefined) throw new Error(`${name} has no status`);
      change(pod.status);
      const path = `/api/v1/namespaces/default/pods/${name}/status`;
      const { code, stderr } = await this.kubectl.try(["replace", "--raw", path, "-f", "-"], {
        input: JSON.stringify(pod),
      });
      if (code !== 0 && !/conflict|modified/i.test(stderr)) throw new Error(stderr);
      return code === 0;
    });
  }

  #arguments(part: Part): string[] {
    return [...this.#usualArguments(part), ...(this.#options.flags?.[part] ?? [])];
  }

  #usualArguments(part: Part): string[] {
    const { plugin } = this.#options;
    const pluginSocket =
      plugin.name === "given" ? plugin.address : `unix://${join(this.directory, "plugin.sock")}`;
    const serverSocket = `unix://${join(this.directory, "server.sock")}`;
    if (part === "plugin") {
      const root = join(this.directory, "jobs");
      const docker = plugin.name === "docker" ? ["--docker-host", plugin.dockerHost] : [];
      return ["plugin", plugin.name, "--listen", pluginSocket, "--root", root, ...docker];
    }
    if (part === "server") return ["server", "--plugin", pluginSocket, "--listen", serverSocket];
    const kubeconfig = ["--kubeconfig", this.#nodeKubeconfig];
    const node = ["node", "--name", this.nodeName, "--site", serverSocket, "--kubelet-port", "0"];
    // A user of its own is to find it by itself.
    const clientCa =
      this.#options.nodeUser === undefined ? ["--client-ca", this.cluster.clientCaFile] : [];
    const certificates = ["--certificate-dir", join(this.directory, "certificates")];
    const further = this.#options.nodeFlags ?? [];
    const address = ["--address", "127.0.0.1"];
    return node.concat(address, kubeconfig, clientCa, certificates, further);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // A failed test may leave a part dead, and then nothing could be deleted.
    for (const part of PARTS) if (this.#parts.get(part)?.isOver === true) await this.launch(part);
    // Pods first, by the ordinary way, so that no container outlives the test.
    await this.kubectl.try(["delete", "pods,jobs", "--all", "--grace-period=1", "--timeout=60s"]);
    for (const program of [...this.#parts.values()].toReversed())
      await program[Symbol.asyncDispose]();
    await this.kube.close();
    await this.#link?.[Symbol.asyncDispose]();
    await this.cluster.close();
    await rm(this.directory, { recursive: true, force: true });
  }
}
