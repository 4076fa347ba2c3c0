import type { Pod } from "kubernetes-types/core/v1.js";
import { type GoPodStatus, podStatuses, text } from "./go-decode.ts";
import { type GoAnswer, goCall } from "./go-http.ts";

/** A pod as the existing virtual node holds it. */
export interface ExistingPod {
  phase: string;
  reason: string;
  jobId: string | undefined;
}

/**
 * The existing virtual node's side of the wire (reference: wire and node, 1, 3.4, 4.2 to 4.6): the bytes that it sends, what
 * it takes for an answer, and what it makes of it. It asks about one pod at a time, and takes anything but 200 for an error.
 */
export class ExistingNode {
  readonly #address: string;
  readonly #token: string | undefined;
  #session = 0;

  /** `token` is the content of `VKTokenFile`; `undefined` without one. */
  constructor(address: string, token?: string) {
    this.#address = address;
    this.#token = token;
  }

  /** Every 30 s: no body, no content type, and a bearer token even if it is empty. */
  async ping(): Promise<{ ready: boolean; answer: GoAnswer }> {
    const answer = await goCall(this.#address, "POST", "/pinglink", "", {
      ...(this.#token === undefined ? {} : { Authorization: `Bearer ${this.#token}` }),
      "InterLink-Http-Session": this.#next("PingInterLink"),
    });
    return { ready: answer.code === 200, answer };
  }

  /** What becomes of a pod: Failed with the whole error at anything but 200 with one object of strings. */
  async create(request: string): Promise<ExistingPod> {
    const { pod } = JSON.parse(request) as { pod: Pod };
    const answer = await this.#call("POST", "/create", request, "CreatePod");
    const failed = (reason: string): ExistingPod => ({ phase: "Failed", reason, jobId: undefined });
    if (answer.code !== 200)
      return failed(`error creating pod (HTTP ${answer.code}): ${answer.body}`);
    try {
      const created: unknown = JSON.parse(answer.body);
      if (Array.isArray(created))
        throw new TypeError("json: cannot unmarshal array into CreateStruct");
      const [uid, jobId] = [text(created, "PodUID"), text(created, "PodJID")];
      return { phase: "Pending", reason: "", jobId: uid === pod.metadata?.uid ? jobId : undefined };
    } catch (error) {
      return failed((error as Error).message);
    }
  }

  /** Every 5 s, for each pod. `undefined`: the pod stays as it is. */
  async status(pod: Pod): Promise<{ status: GoPodStatus; phase: string | undefined } | undefined> {
    const answer = await this.#call("GET", "/status", JSON.stringify([pod]), "GetStatus");
    if (answer.code !== 200) return undefined;
    const [status] = podStatuses(answer.body);
    if (status === undefined || status.name === "" || status.UID !== pod.metadata?.uid)
      return undefined;
    return { status, phase: phaseOf(status) };
  }

  /** Asked once; whatever comes is only logged. */
  async delete(pod: Pod): Promise<GoAnswer> {
    return this.#call("DELETE", "/delete", JSON.stringify(pod), "DeletePod");
  }

  async logs(pod: Pod, container: string, options: object = {}): Promise<GoAnswer> {
    const { namespace, name, uid } = pod.metadata ?? {};
    const request = {
      Namespace: namespace,
      PodUID: uid,
      PodName: name,
      ContainerName: container,
      Opts: {
        Tail: 0,
        Bytes: 0,
        Timestamps: false,
        Follow: false,
        Previous: false,
        SinceSeconds: 0,
        SinceTime: "0001-01-01T00:00:00Z",
        ...options,
      },
    };
    return this.#call("GET", "/getLogs", JSON.stringify(request), "GetLogs");
  }

  /** Never called by it; written as it would be. */
  async updateCache(pod: Pod): Promise<GoAnswer> {
    return this.#call("POST", "/updateCache", JSON.stringify(pod), "UpdateCache");
  }

  #call(method: string, path: string, body: string, operation: string): Promise<GoAnswer> {
    return goCall(this.#address, method, path, body, {
      "Content-Type": "application/json",
      ...(this.#token ? { Authorization: `Bearer ${this.#token}` } : {}),
      "InterLink-Http-Session": this.#next(operation),
    });
  }

  #next(operation: string): string {
    this.#session += 1;
    return `${operation}#${this.#session}`;
  }
}

/** 4.4: only containers of the answer count, and none at all counts as all done. `undefined`: as it was. */
export function phaseOf({ containers }: GoPodStatus): string | undefined {
  const all = containers ?? [];
  const ended = all.filter(({ state }) => state.terminated !== undefined);
  if (ended.length === all.length) {
    return ended.every(({ state }) => state.terminated?.exitCode === 0) ? "Succeeded" : "Failed";
  }
  return all.some(({ state }) => state.running !== undefined) ? "Running" : undefined;
}

/** 3.5: the pods that a restarted node takes for its own; all others it creates again. */
export function recovered(pods: readonly Pod[]): Pod[] {
  return pods.filter(({ metadata }) => metadata?.annotations?.["JobID"] !== undefined);
}
