import type { ServerResponse } from "node:http";
import type { Pod } from "kubernetes-types/core/v1.js";
import { type GoRequest, GoServer } from "./go-http.ts";

/** What a job does, as a test says it. */
export type JobState = "waiting" | "running" | { exitCode: number };

interface Job {
  pod: Pod;
  state: JobState;
  log: string;
}

const AT = "2026-01-05T10:00:00Z";

/**
 * Existing plugins with their habits (reference: other plugins, 1 to 5; Slurm plugin, 1). They run nothing: what becomes of
 * a job is what the test says.
 */
export abstract class ExistingPlugin extends GoServer {
  readonly jobs = new Map<string, Job>();
  /** Of all creates that arrived, repetitions too. */
  creates = 0;

  job(uid: string): Job {
    const job = this.jobs.get(uid);
    if (job === undefined) throw new Error(`the plugin has no job of ${uid}`);
    return job;
  }

  protected take(pod: Pod): string {
    const uid = pod.metadata?.uid ?? "";
    this.creates += 1;
    this.jobs.set(uid, { pod, state: "waiting", log: "" });
    return uid;
  }

  protected send(
    response: ServerResponse,
    code: number,
    body: unknown,
    type = "application/json",
  ): void {
    response.writeHead(code, { "Content-Type": type });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  }
}

const TEXT = "text/plain; charset=utf-8";
const podsOf = ({ body }: GoRequest) => (JSON.parse(body) as Pod[] | null) ?? [];
const uidOf = ({ metadata }: Pod) => metadata?.uid ?? "";
const namesOf = ({ metadata }: Pod) => ({
  name: metadata?.name,
  UID: metadata?.uid,
  namespace: metadata?.namespace,
});

/** Slurm: the last answer again for 10 s, whatever was asked; containers in no state for a pod that it does not know. */
export class SlurmLike extends ExistingPlugin {
  /** Milliseconds. */
  now = 0;
  #polledAt = Number.NEGATIVE_INFINITY;
  #last: unknown;

  protected answer(request: GoRequest, response: ServerResponse): void {
    switch (request.path) {
      case "/create": {
        const uid = this.take((JSON.parse(request.body) as { pod: Pod }).pod);
        return this.send(response, 200, { PodUID: uid, PodJID: "4711" }, TEXT);
      }
      case "/delete": {
        const uid = uidOf(JSON.parse(request.body) as Pod);
        // A nil pointer: the connection is closed without an answer.
        if (!this.jobs.delete(uid)) return void response.destroy();
        return this.send(
          response,
          200,
          "All containers for submitted Pods have been deleted",
          TEXT,
        );
      }
      case "/status": {
        const pods = podsOf(request);
        if (pods.length === 0)
          return this.send(response, 200, { status: "ok", resources: { cpu: "128" } });
        if (this.now - this.#polledAt >= 10_000) {
          this.#polledAt = this.now;
          this.#last = pods.map((pod) => this.#status(pod));
        }
        return this.send(response, 200, this.#last);
      }
      case "/getLogs": {
        const { PodUID } = JSON.parse(request.body) as { PodUID: string };
        return this.send(response, 200, this.jobs.get(PodUID)?.log ?? "", "text/plain");
      }
      default:
        return this.send(response, 404, "404 page not found\n", TEXT);
    }
  }

  #status(pod: Pod): object {
    const state = this.jobs.get(uidOf(pod))?.state;
    const told =
      state === undefined
        ? {}
        : state === "waiting"
          ? { waiting: {} }
          : state === "running"
            ? { running: { startedAt: AT } }
            : { terminated: { exitCode: state.exitCode, startedAt: null, finishedAt: AT } };
    const containers = pod.spec?.containers.map(({ name }) => ({
      name,
      state: told,
      lastState: {},
      ready: state === "running",
      restartCount: 0,
      image: "",
      imageID: "",
    }));
    return { ...namesOf(pod), JID: "", containers, initContainers: null };
  }
}

/** Kubernetes: FastAPI; unknown pods left out; null for the states that are not; init containers never told; no times. */
export class KubernetesLike extends ExistingPlugin {
  protected answer({ method, path, body }: GoRequest, response: ServerResponse): void {
    const allowed = path === "/create" || path === "/delete" ? ["POST"] : ["GET", "POST"];
    if (path === "/capabilities") return this.send(response, 404, { detail: "Not Found" });
    if (!allowed.includes(method))
      return this.send(response, 405, { detail: "Method Not Allowed" });
    switch (path) {
      case "/create": {
        const { pod, container } = JSON.parse(body) as { pod?: Pod; container?: unknown };
        if (pod === undefined || container === undefined) {
          return this.send(response, 422, {
            detail: [{ loc: ["body", "pod"], msg: "Field required" }],
          });
        }
        if (pod.metadata?.name === "refused") {
          return this.send(response, 500, {
            detail: 'ApiException: (409) Reason: "Conflict" <pod>',
          });
        }
        return this.send(response, 200, { PodUID: this.take(pod), PodJID: `remote-${uidOf(pod)}` });
      }
      case "/delete": {
        const uid = uidOf(JSON.parse(body) as Pod);
        this.jobs.delete(uid);
        return this.send(response, 200, JSON.stringify(`Pod '${uid}' deleted`));
      }
      case "/status": {
        const pods = podsOf({ method, path, headers: {}, body });
        const known = pods.flatMap((pod) => {
          const job = this.jobs.get(uidOf(pod));
          return job === undefined
            ? []
            : [{ ...namesOf(pod), JID: `remote-${uidOf(pod)}`, containers: containersOf(job) }];
        });
        return this.send(response, 200, known);
      }
      default: {
        const { PodUID } = JSON.parse(body) as { PodUID: string };
        return this.send(response, 200, this.jobs.get(PodUID)?.log ?? "", TEXT);
      }
    }
  }
}

function containersOf({ pod, state }: Job): object[] {
  const none = { terminated: null, running: null, waiting: null };
  return (pod.spec?.containers ?? []).map(({ name }) => ({
    name,
    state:
      state === "waiting"
        ? { ...none, waiting: { reason: "ContainerCreating", message: null } }
        : state === "running"
          ? { ...none, running: { startedAt: AT } }
          : { ...none, terminated: { exitCode: state.exitCode, reason: "Completed" } },
  }));
}

/** HTCondor: Flask; 201 for a create; the first pod of a list only; 404 for one that it does not know; no logs. */
export class CondorLike extends ExistingPlugin {
  protected answer({ method, path, body }: GoRequest, response: ServerResponse): void {
    const wanted = path === "/create" || path === "/delete" ? "POST" : "GET";
    if (method !== wanted)
      return this.send(response, 405, "<!doctype html>\n<title>405</title>", "text/html");
    switch (path) {
      case "/create": {
        const { pod } = JSON.parse(body) as { pod: Pod };
        const { UID, ...metadata } = namesOf(pod);
        const created = {
          PodUID: this.take(pod),
          PodJID: "99",
          metadata: { ...metadata, uid: UID },
        };
        return this.send(response, 201, created);
      }
      case "/delete": {
        const known = this.jobs.delete(uidOf(JSON.parse(body) as Pod));
        return this.send(
          response,
          known ? 200 : 404,
          known ? { message: "removed" } : { error: "no job", timestamp: 1 },
        );
      }
      case "/status": {
        const [first] = podsOf({ method, path, headers: {}, body });
        if (first === undefined) {
          return this.send(response, 200, {
            message: "HTCondor sidecar is alive",
            status: "healthy",
          });
        }
        const job = this.jobs.get(uidOf(first));
        if (job === undefined)
          return this.send(response, 404, { error: "no such job", timestamp: 1 });
        return this.send(response, 200, [
          { ...namesOf(first), JID: "99", containers: containersOf(job) },
        ]);
      }
      case "/getLogs":
        return this.send(response, 200, '"NOT IMPLEMENTED"\n', "text/html");
      default:
        return this.send(response, 404, "<!doctype html>\n<title>404</title>", "text/html");
    }
  }
}

/** The Python SDK's own routes: the first pod only, and an error for the ping. */
export class SdkLike extends KubernetesLike {
  protected override answer(request: GoRequest, response: ServerResponse): void {
    if (request.path !== "/status") return super.answer(request, response);
    const [first] = podsOf(request);
    if (first === undefined) return this.send(response, 500, { detail: "list index out of range" });
    const job = this.jobs.get(uidOf(first));
    if (job === undefined) return this.send(response, 500, { detail: "KeyError" });
    this.send(response, 200, [{ ...namesOf(first), JID: "1", containers: containersOf(job) }]);
  }
}

/** Docker: wants a list for a create; one pod that it does not know is 404 for the whole list; null for none. */
export class DockerLike extends ExistingPlugin {
  protected answer({ method, path, headers, body }: GoRequest, response: ServerResponse): void {
    switch (path) {
      case "/create": {
        const list: unknown = JSON.parse(body);
        if (!Array.isArray(list)) {
          return this.send(
            response,
            500,
            "json: cannot unmarshal object into Go value of type []RetrievedPodData",
            TEXT,
          );
        }
        const created = (list as { pod: Pod }[]).map(({ pod }) => ({
          PodUID: this.take(pod),
          PodJID: "dind",
        }));
        return this.send(response, 200, created.map((one) => JSON.stringify(one)).join(""), TEXT);
      }
      case "/delete":
        this.jobs.delete(uidOf(JSON.parse(body) as Pod));
        return this.send(
          response,
          200,
          "All containers for submitted Pods have been deleted",
          TEXT,
        );
      case "/status": {
        const pods = podsOf({ method, path, headers, body });
        const stranger = pods.find((pod) => !this.jobs.has(uidOf(pod)));
        if (stranger !== undefined)
          return this.send(response, 404, "DIND container not found", TEXT);
        const statuses = pods.map((pod) => ({
          ...namesOf(pod),
          JID: "d34db33f",
          containers: containersOf(this.job(uidOf(pod))),
        }));
        return this.send(response, 200, statuses.length === 0 ? "null" : statuses, TEXT);
      }
      case "/getLogs":
        return this.send(
          response,
          200,
          "No logs available for container. Container not found.",
          TEXT,
        );
      default:
        return this.send(response, 404, "404 page not found\n", TEXT);
    }
  }
}
