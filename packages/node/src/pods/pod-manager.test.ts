import { paths } from "@interlink/kube";
import { eventually } from "@interlink/kube/testing";
import { CREATED_BY_ANNOTATION, ProtocolError } from "@interlink/protocol";
import type { ConfigMap, Pod, Secret } from "kubernetes-types/core/v1.js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createObjectReader } from "../resolve/object-reader.ts";
import { OWNER, PodWorld, QUICK_TIMING } from "../testing/pod-world.ts";
import { aPod, container, ended, running, status } from "../testing/pods.ts";
import { DEFAULT_POD_TIMING } from "./timing.ts";

let world: PodWorld;
beforeEach(async () => {
  world = await PodWorld.start();
});
afterEach(async () => {
  await world[Symbol.asyncDispose]();
});

const phase = (name?: string) => world.pod(name)?.status?.phase;
const state = (name?: string) => world.pod(name)?.status?.containerStatuses?.[0]?.state;
const job = (uid = "uid-1") => world.site.jobs.get(uid);
const until = eventually;

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

/** A pod that runs on a node. */
async function runningPod(over: Parameters<typeof aPod>[0] = {}): Promise<void> {
  world.put(over);
  await until(() => job(), "the job");
  world.site.run("uid-1");
  await until(() => phase() === "Running", "phase Running");
}

describe("a pod that runs", () => {
  test("is created once, annotated, and followed to its end", async () => {
    await world.node();
    world.put({ restartPolicy: "Never" });
    await until(() => world.pod()?.metadata?.annotations?.JobID === "job-of-uid-1");
    expect(phase()).toBe("Pending");
    world.site.run("uid-1");
    await until(() => phase() === "Running");
    expect(world.pod()?.status).toMatchObject({ hostIP: "192.0.2.1" });
    world.site.set("uid-1", ended(42));
    await until(() => phase() === "Failed");
    expect(state()?.terminated?.exitCode).toBe(42);
    expect(world.site.started.get("uid-1")).toBe(1);
    expect(world.site.deletes).toEqual([]);
  });

  test("is annotated also when the answer to its create was lost", async () => {
    world.site.fail("create", "lost");
    await world.node();
    world.put();
    await until(() => world.pod()?.metadata?.annotations?.JobID === "job-of-uid-1");
    expect(world.site.started.get("uid-1")).toBe(1);
  });

  test("tells the site who made it, on the wire only", async () => {
    await world.node();
    world.put();
    await until(() => job());
    expect(job()?.pod.metadata?.annotations?.[CREATED_BY_ANNOTATION]).toBe(OWNER);
    expect(world.pod()?.metadata?.annotations?.[CREATED_BY_ANNOTATION]).toBeUndefined();
  });

  test("keeps labels that a user changes meanwhile", async () => {
    await world.node();
    await runningPod();
    const pod = world.pod() as Pod;
    world.api.put(paths.pods.named("default", "p"), {
      ...pod,
      metadata: { ...pod.metadata, labels: { mine: "yes" } },
    });
    world.site.set("uid-1", ended(0));
    await until(() => state()?.terminated);
    expect(world.pod()?.metadata?.labels).toEqual({ mine: "yes" });
  });

  test("writes nothing when the site says the same again", async () => {
    await world.node();
    await runningPod();
    const patches = () => world.api.requests.filter(({ method }) => method === "PATCH").length;
    await until(() => world.pod()?.metadata?.annotations?.JobID);
    const before = patches();
    world.site.run("uid-1");
    world.site.run("uid-1");
    // A change that is told after them must be the only thing that is written.
    world.site.set("uid-1", ended(1));
    await until(() => state()?.terminated);
    expect(patches() - before).toBe(1);
  });

  test("says what of an edit comes to nothing, once", async () => {
    await world.node();
    await runningPod();
    const pod = world.pod() as Pod;
    const edited: Pod = {
      ...pod,
      spec: { ...pod.spec, containers: [container("main", { image: "other" })] },
    };
    world.api.put(paths.pods.named("default", "p"), edited);
    await until(() => world.events.some((event) => event.includes("FailedSync")));
    world.site.set("uid-1", ended(1));
    await until(() => state()?.terminated);
    expect(world.events.filter((event) => event.includes("FailedSync"))).toEqual([
      'Warning FailedSync Container main definition changed, but the site cannot restart it with the image "other" [spec.containers{main}]',
    ]);
  });

  test("passes the site's events on with the container they are about", async () => {
    await world.node();
    await runningPod();
    world.site.event({
      UID: "uid-1",
      name: "p",
      namespace: "default",
      container: "main",
      type: "Warning",
      reason: "BackOff",
      message: "Back-off restarting failed container",
      at: "2026-01-01T00:00:00Z",
    });
    expect(world.events).toContain(
      "Warning BackOff Back-off restarting failed container [spec.containers{main}]",
    );
  });
});

describe("creating", () => {
  test("never starts a second job when the answer is lost, even at a site that would", async () => {
    world.site.fail("create", "lost");
    await world.node();
    await runningPod();
    expect(world.site.started.get("uid-1")).toBe(1);
  });

  test("tries again while the site is away, and says so on the pod", async () => {
    world.site.fail("create", { httpStatus: 503, message: "slurmctld does not answer" }, 2);
    await world.node();
    const seen: string[] = [];
    world.put();
    await until(() => {
      const waits = state()?.waiting;
      if (waits?.message) seen.push(`${waits.reason}: ${waits.message}`);
      return job();
    });
    expect(world.events[0]).toContain("FailedCreate");
    expect(world.events[0]).toContain("slurmctld does not answer");
    world.site.run("uid-1");
    await until(() => phase() === "Running");
    expect(world.site.started.get("uid-1")).toBe(1);
  });

  test("fails the pod at once when the site refuses it for good, in the site's words", async () => {
    world.site.fail("create", { httpStatus: 422, message: "invalid partition specified: gpu" });
    await world.node();
    world.put();
    await until(() => phase() === "Failed");
    expect(world.pod()?.status).toMatchObject({
      reason: "RejectedBySite",
      message: "invalid partition specified: gpu",
    });
    expect(world.site.started.size).toBe(0);
  });

  test("fails a pod at once that asks for what this node never has, and says what to use instead", async () => {
    await world.node();
    const sources = [{ clusterTrustBundle: { path: "ca" } }];
    world.put({ volumes: [{ name: "v", projected: { sources } }] });
    await until(() => phase() === "Failed");
    expect(world.pod()?.status?.reason).toBe("NotSupported");
    expect(world.pod()?.status?.message).toMatch(/clusterTrustBundle.*; use secret, configMap/);
    expect(world.events).toContainEqual(expect.stringMatching(/^Warning NotSupported volume "v"/));
    expect(world.site.started.size).toBe(0);
  });

  test("waits for a ConfigMap of env with the kubelet's reason, and starts when it appears", async () => {
    await world.node();
    world.put({ containers: [container("main", { envFrom: [{ configMapRef: { name: "cm" } }] })] });
    await until(() => state()?.waiting?.reason === "CreateContainerConfigError");
    expect(state()?.waiting?.message).toBe('configmap "cm" not found');
    expect(world.events).toContain(
      'Warning Failed Error: configmap "cm" not found [spec.containers{main}]',
    );
    expect(job()).toBeUndefined();
    // The retry is a minute away in this test: only the watch can wake the pod.
    const configMap: ConfigMap = { data: { A: "1" } };
    world.api.put(paths.configMaps.named("default", "cm"), configMap);
    await until(() => job());
    expect(job()?.request?.pod.spec?.containers[0]?.env).toContainEqual({ name: "A", value: "1" });
  });

  test("waits for a Secret volume with FailedMount while its containers are being created", async () => {
    await world.node();
    world.put({ volumes: [{ name: "v", secret: { secretName: "s" } }] });
    await until(() => world.events.length > 0);
    expect(world.events).toEqual([
      'Warning FailedMount MountVolume.SetUp failed for volume "v" : secret "s" not found',
    ]);
    await until(() => state()?.waiting?.reason === "ContainerCreating");
    const secret: Secret = { data: { k: "dg==" } };
    world.api.put(paths.secrets.named("default", "s"), secret);
    await until(() => job());
    expect(job()?.request?.secrets[0]?.data).toEqual({ k: "dg==" });
  });

  test("refuses what no virtual node can run", async () => {
    await world.node();
    world.put({ os: { name: "windows" } });
    await until(() => phase() === "Failed");
    expect(world.pod()?.status?.reason).toBe("PodOSNotSupported");
    expect(world.site.started.size).toBe(0);
  });
});

describe("deleting", () => {
  test("releases the object only after the site confirmed and the end is written", async () => {
    world.site.endsAtOnce = false;
    await world.node();
    await runningPod();
    world.delete(7);
    await until(() => world.site.deletes.length > 0);
    expect(world.site.deletes[0]).toEqual({ uid: "uid-1", grace: 7 });
    const questions = world.site.questions;
    await until(() => world.site.questions > questions + 3, "several questions whether it is gone");
    expect(phase()).toBe("Running");
    world.site.end("uid-1", 143);
    await until(() => !world.pod());
    const writes = world.api.requests.filter(({ path }) =>
      path.startsWith("/api/v1/namespaces/default/pods/p"),
    );
    const final = writes.findLast(({ method }) => method === "PATCH");
    expect(final?.body).toMatchObject({
      metadata: { uid: "uid-1" },
      status: {
        phase: "Failed",
        containerStatuses: [{ state: { terminated: { exitCode: 143 } } }],
      },
    });
    expect(writes.at(-1)).toMatchObject({
      method: "DELETE",
      body: { gracePeriodSeconds: 0, preconditions: { uid: "uid-1" } },
    });
  });

  test("keeps the pod Terminating while the site is away, and finishes when it is back", async () => {
    await world.node();
    await runningPod();
    world.site.leave();
    world.delete();
    await until(() => world.events.filter((one) => one.includes("FailedKillPod")).length > 2);
    expect(world.pod()).toBeDefined();
    expect(phase()).toBe("Running");
    world.site.comeBack();
    await until(() => !world.pod());
    expect(job()).toBeUndefined();
  });

  test("learns how a pod ended that was gone before the site could be heard again", async () => {
    world.site.endsAtOnce = false;
    await world.node();
    await runningPod();
    world.delete();
    await until(() => world.site.deletes.length > 0);
    world.site.leave();
    world.site.set("uid-1", ended(3));
    world.site.bury("uid-1");
    world.site.comeBack();
    await until(() => !world.pod());
    const final = world.api.requests.findLast(({ method }) => method === "PATCH");
    expect(final?.body).toMatchObject({
      status: { containerStatuses: [{ state: { terminated: { exitCode: 3 } } }] },
    });
  });

  test("waits for nothing more when a pod is gone whose containers never began, also after a restart", async () => {
    world.site.endsAtOnce = false;
    const life = await world.node();
    world.put();
    await until(() => world.site.started.get("uid-1"));
    world.delete();
    await until(() => world.site.deletes.length > 0);
    await life[Symbol.asyncDispose]();
    world.site.bury("uid-1");
    await world.node();
    await until(() => !world.pod());
    expect(world.events.filter((one) => one.includes("JobLost"))).toEqual([]);
  });

  test("a delete whose answer was lost is asked for again", async () => {
    world.site.endsAtOnce = false;
    world.site.fail("delete", "lost");
    await world.node();
    await runningPod();
    world.delete();
    await until(() => world.site.deletes.length === 2);
    world.site.end("uid-1");
    await until(() => !world.pod());
  });

  test("a pod that was never created goes without a word to the site", async () => {
    await world.node();
    world.put({ volumes: [{ name: "v", configMap: { name: "x" } }] });
    await until(() => world.events.length > 0);
    world.delete();
    await until(() => !world.pod());
    expect(world.site.deletes).toEqual([]);
    const last = world.api.requests.findLast(({ method }) => method === "PATCH");
    expect(last?.body).toMatchObject({ status: { phase: "Failed" } });
  });

  test("a pod deleted while its create is under way is created, then deleted", async () => {
    const { promise, resolve: release } = withResolvers();
    world.site.holdCreate = promise;
    await world.node();
    world.put();
    await until(() => world.site.started.get("uid-1"));
    world.delete();
    release();
    await until(() => !world.pod());
    expect(world.site.deletes).toHaveLength(1);
    expect(job()).toBeUndefined();
  });

  test("a pod deleted while what it names is read does not go to the site any more", async () => {
    const { promise: read, resolve: answer } = withResolvers();
    const nothing = { configMaps: new Map(), secrets: new Map(), services: [], tokens: new Map() };
    const reader = createObjectReader({ client: world.client, now: () => performance.now() });
    await world.node({ reader: { ...reader, read: () => read.then(() => nothing) } });
    world.put();
    await until(() => phase() === "Pending");
    world.delete();
    world.put({}, { metadata: { name: "q", namespace: "default", uid: "uid-q" } });
    await until(() => phase("q") === "Pending");
    answer();
    await until(() => job("uid-q") && !world.pod());
    expect(world.site.started.get("uid-1")).toBeUndefined();
    expect(world.site.deletes).toEqual([]);
  });

  test("a job that was given up as lost and shows again is deleted with its pod", async () => {
    const life = await world.node();
    await runningPod();
    const lost = job();
    world.site.jobs.clear();
    world.site.leave();
    world.site.comeBack();
    await until(() => phase() === "Failed");
    // The node may learn a moment later than we that its status is written.
    await until(() => {
      world.site.put(lost?.pod ?? aPod(), running());
      return life.manager.counts().there === 1;
    });
    world.forceDelete();
    await until(() => world.site.deletes.length === 1);
    await until(() => !job());
  });

  test("a pod removed by force is stopped at the site", async () => {
    const life = await world.node();
    await runningPod();
    world.forceDelete();
    await until(() => !job());
    await until(() => life.manager.counts().over + life.manager.counts().there === 0);
    expect(world.site.deletes).toHaveLength(1);
  });

  test("a shorter grace period is sent after the first", async () => {
    world.site.endsAtOnce = false;
    await world.node();
    await runningPod();
    world.delete(30);
    await until(() => world.site.deletes.length === 1);
    world.delete(2);
    await until(() => world.site.deletes.length === 2);
    expect(world.site.deletes[1]?.grace).toBe(2);
  });

  test("an ended pod keeps its record at the site until it is deleted", async () => {
    await world.node();
    await runningPod({ restartPolicy: "Never" });
    world.site.set("uid-1", ended(0));
    await until(() => phase() === "Succeeded");
    expect(world.site.deletes).toEqual([]);
    world.forceDelete();
    await until(() => world.site.deletes.length === 1);
  });

  test("a pod of the same name with another UID is another pod", async () => {
    world.site.endsAtOnce = false;
    await world.node();
    await runningPod();
    world.forceDelete();
    world.put({}, { metadata: { name: "p", namespace: "default", uid: "uid-2" } });
    await until(() => job("uid-2"));
    world.site.set("uid-1", ended(137));
    world.site.run("uid-2");
    await until(() => phase() === "Running");
    world.site.end("uid-1");
    world.site.set("uid-2", ended(0));
    await until(() => state()?.terminated);
    expect(state()?.terminated?.exitCode).toBe(0);
    expect(world.pod()?.metadata?.uid).toBe("uid-2");
    expect(Object.fromEntries(world.site.started)).toEqual({ "uid-1": 1, "uid-2": 1 });
  });
});

describe("a node that starts again", () => {
  test("takes over what runs and creates nothing twice", async () => {
    const first = await world.node();
    await runningPod();
    await first[Symbol.asyncDispose]();
    world.site.set("uid-1", ended(3));
    await world.node();
    await until(() => state()?.terminated);
    expect(state()?.terminated?.exitCode).toBe(3);
    expect(world.site.started.get("uid-1")).toBe(1);
  });

  test("finishes the delete of a pod that was deleted meanwhile", async () => {
    const first = await world.node();
    await runningPod();
    await first[Symbol.asyncDispose]();
    world.delete();
    await world.node();
    await until(() => !world.pod());
    expect(job()).toBeUndefined();
  });

  test("fails a pod whose job the site has lost, after asking twice, and starts nothing", async () => {
    const first = await world.node();
    await runningPod();
    await first[Symbol.asyncDispose]();
    world.site.jobs.clear();
    await world.node();
    await until(() => phase() === "Failed");
    expect(world.pod()?.status).toMatchObject({
      reason: "JobLost",
      containerStatuses: [
        { state: { terminated: { reason: "ContainerStatusUnknown", exitCode: 137 } } },
      ],
    });
    expect(world.site.started.get("uid-1")).toBe(1);
  });

  test("does not take a pod for lost while the site is away", async () => {
    const first = await world.node();
    await runningPod();
    await first[Symbol.asyncDispose]();
    world.site.leave();
    await world.node();
    expect(phase()).toBe("Running");
    world.site.comeBack();
    world.site.set("uid-1", ended(0));
    await until(() => state()?.terminated?.exitCode === 0);
  });

  test("creates a pod that only carries somebody else's JobID", async () => {
    world.put(
      {},
      {
        metadata: {
          name: "p",
          namespace: "default",
          uid: "uid-1",
          annotations: { JobID: "4711", "interlink.virtual-kubelet.io/job-uid": "other" },
        },
      },
    );
    await world.node();
    await until(() => job());
  });

  test("removes jobs of its own that have no pod, and only those", async () => {
    const orphan = (uid: string, owner: string | undefined): Pod =>
      aPod(
        {},
        {
          metadata: {
            name: uid,
            namespace: "default",
            uid,
            ...(owner ? { annotations: { [CREATED_BY_ANNOTATION]: owner } } : {}),
          },
        },
      );
    world.site.put(orphan("ours", OWNER), running());
    world.site.put(orphan("theirs", "cluster-2/vn"), running());
    world.site.put(orphan("old", undefined), running());
    await world.node();
    await until(() => !job("ours"));
    expect(world.site.deletes).toEqual([{ uid: "ours", grace: 1 }]);
    expect([...world.site.jobs.keys()]).toEqual(["theirs", "old"]);
  });
});

describe("time and the site", () => {
  test("a pod past its deadline is stopped and fails", async () => {
    await world.node();
    await runningPod({ activeDeadlineSeconds: 60 });
    world.wallMs = 61_000;
    world.site.run("uid-1");
    await until(() => phase() === "Failed");
    expect(world.pod()?.status?.reason).toBe("DeadlineExceeded");
    expect(world.site.deletes).toHaveLength(1);
    expect(world.events).toContain(
      "Normal DeadlineExceeded Pod was active on the node longer than the specified deadline",
    );
  });

  test("a job that the site drops unasked is lost", async () => {
    await world.node();
    await runningPod();
    world.site.jobs.delete("uid-1");
    world.site.leave();
    world.site.comeBack();
    await until(() => phase() === "Failed");
    expect(world.pod()?.status?.reason).toBe("JobLost");
    expect(state()?.terminated).toMatchObject({ exitCode: 137, reason: "ContainerStatusUnknown" });
    // However often the site says so.
    world.site.leave();
    world.site.comeBack();
    expect(world.events.filter((event) => event.includes("JobLost"))).toHaveLength(1);
  });

  test("a status that the API server refuses is not sent again as it is", async () => {
    await world.node();
    await runningPod();
    const isWrite = ({ method, path }: { method: string; path: string }) =>
      method === "PATCH" && path.endsWith("/status");
    const writes = () => world.api.requests.filter(isWrite).length;
    const before = writes();
    world.api.inject(isWrite, { kind: "status", code: 422, reason: "Invalid" }, 1);
    world.site.set("uid-1", ended(1));
    await until(() => writes() === before + 1);
    world.site.set("uid-1", ended(1));
    world.site.set("uid-1", ended(2));
    await until(() => state()?.terminated?.exitCode === 2);
    expect(writes()).toBe(before + 2);
  });

  test("what an old API server drops of a status is not sent again", async () => {
    world.api.unknownStatusFields = ["hostIPs"];
    const { manager } = await world.node();
    await runningPod();
    // Changes that are not of the status make the node look at the status again.
    for (const mine of ["1", "2", "3"]) {
      const pod = world.pod() as Pod;
      const metadata = { ...pod.metadata, labels: { mine } };
      world.api.put(paths.pods.named("default", "p"), { ...pod, metadata });
      await until(() => manager.pods()[0]?.metadata?.labels?.mine === mine);
    }
    world.site.set("uid-1", ended(3));
    await until(() => state()?.terminated);
    const sent = world.api.requests
      .filter(({ method, path }) => method === "PATCH" && path.endsWith("/status"))
      .map(({ body }) => JSON.stringify(body));
    expect(sent).toEqual([...new Set(sent)]);
    expect(sent.join()).toContain("hostIPs");
    expect(world.pod()?.status?.hostIPs).toBeUndefined();
  });

  test("statuses are written although the API server fails for a while", async () => {
    await world.node();
    await runningPod();
    world.api.inject(({ method }) => method === "PATCH", { kind: "drop" }, 2);
    world.site.set("uid-1", ended(9));
    await until(() => state()?.terminated?.exitCode === 9);
  });
});

describe("a site that is back", () => {
  // Only its return can wake a pod in these tests: the next try is an hour away.
  const never = { firstMs: 3_600_000, capMs: 3_600_000, jitter: 0 };
  const timing = { ...DEFAULT_POD_TIMING, siteRetry: never, confirm: never };

  test("gets at once what it did not take while it was away", async () => {
    await world.node({ timing });
    await runningPod();
    world.site.leave();
    world.put({}, { metadata: { name: "q", namespace: "default", uid: "uid-q" } });
    await until(() => state("q")?.waiting?.reason === "RemoteCreateError");
    world.delete();
    await until(() => world.events.some((one) => one.includes("FailedKillPod")));
    world.site.comeBack();
    await until(() => job("uid-q") && !world.pod());
  });

  test("is sent no pod before it has said what it can do", async () => {
    world.site.leave();
    await world.node({ timing });
    world.put({
      containers: [
        container("main", {
          env: [{ name: "IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } }],
        }),
      ],
    });
    await until(() => state()?.waiting?.reason === "RemoteCreateError");
    world.site.capabilities?.features.push("pod-ip-env");
    world.site.comeBack();
    await until(() => job());
    expect(job()?.request?.pod.spec?.containers[0]?.env).toMatchObject([
      { name: "IP", valueFrom: {} },
    ]);
  });

  test("gets it also when only its ping shows that it is back", async () => {
    const life = await world.node({ timing });
    world.site.fail("create", { httpStatus: 502, message: "the plugin is away" });
    world.site.fail("status", { httpStatus: 502, message: "the plugin is away" });
    world.put();
    await until(() => state()?.waiting?.reason === "SiteUnavailable");
    life.manager.siteAnswers();
    await until(() => job());
    expect(world.site.started.get("uid-1")).toBe(1);
  });
});

describe("a site of the base protocol", () => {
  beforeEach(() => {
    world.site.capabilities = undefined;
    world.site.endsAtOnce = false;
  });

  test("has stopped a pod when it says 404 about it after an accepted delete", async () => {
    await world.node();
    await runningPod();
    world.delete();
    await until(() => world.site.deletes.length === 1);
    world.site.jobs.clear();
    world.site.fail("status", { httpStatus: 404, message: "no such pod" }, 5);
    await until(() => !world.pod());
  });

  test("is not believed when it says 404 and does not answer a ping", async () => {
    await world.node();
    await runningPod();
    world.delete();
    await until(() => world.site.deletes.length === 1);
    let pings = 0;
    world.site.ping = () => {
      pings++;
      return Promise.reject(new Error("away"));
    };
    world.site.fail("status", { httpStatus: 404, message: "no such path" }, 5);
    await until(() => pings === 5);
    expect(phase()).toBe("Running");
  });

  test("that cannot delete what it does not know holds no pod for ever", async () => {
    await world.node();
    await runningPod();
    world.site.jobs.clear();
    world.site.fail("delete", { httpStatus: 500, message: "EOF" }, 100);
    world.delete();
    await until(() => !world.pod());
  });

  test("still holds a pod that it knows and cannot delete", async () => {
    await world.node();
    await runningPod();
    world.site.fail("delete", { httpStatus: 500, message: "scancel failed" }, 6);
    world.delete();
    await until(() => world.events.filter((one) => one.includes("scancel failed")).length === 6);
    expect(phase()).toBe("Running");
    await until(() => world.site.deletes.length === 1);
    world.site.end("uid-1");
    await until(() => !world.pod());
  });

  test("gets no second create while the first, whose answer was lost, may still be on its way", async () => {
    const timing = { ...QUICK_TIMING, baseSettleMs: 3_600_000 };
    let creates = 0;
    let arrive = () => {};
    world.site.create = ({ pod }) => {
      creates++;
      arrive = () => world.site.put(pod, running());
      return Promise.reject(new ProtocolError("timeout", "no answer"));
    };
    await world.node({ timing });
    world.put();
    await until(() => world.site.questions > 5);
    expect(creates).toBe(1);
    arrive();
    await until(() => phase() === "Running");
    expect(creates).toBe(1);
  });

  test("gets another create soon when the first certainly never left", async () => {
    const timing = { ...QUICK_TIMING, baseSettleMs: 3_600_000 };
    const cause = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
    const create = world.site.create.bind(world.site);
    let creates = 0;
    world.site.create = (request, signal) => {
      creates++;
      if (creates > 1) return create(request, signal);
      return Promise.reject(new ProtocolError("unreachable", "no connection", { cause }));
    };
    await world.node({ timing });
    await runningPod();
    expect(creates).toBe(2);
  });

  test("gets no second job when the answer to a create was lost", async () => {
    world.site.fail("create", "lost");
    await world.node();
    await runningPod();
    expect(world.site.started.get("uid-1")).toBe(1);
  });
});

describe("many pods", () => {
  test("do not wait for one that hangs at the site", async () => {
    world.site.holdCreate = new Promise(() => {});
    await world.node();
    world.put({}, { metadata: { name: "hangs", namespace: "default", uid: "hangs" } });
    await until(() => job("hangs"));
    world.site.holdCreate = undefined;
    for (let index = 0; index < 50; index++) {
      const name = `p-${index}`;
      world.put({}, { metadata: { name, namespace: "default", uid: name } });
    }
    await until(() => world.site.jobs.size === 51);
    for (const uid of world.site.jobs.keys()) world.site.set(uid, running());
    await until(() => [...Array(50).keys()].every((index) => phase(`p-${index}`) === "Running"));
  });
});

test("statuses of containers that the site leaves out are complete anyway", async () => {
  await world.node();
  world.put({ containers: [container("a"), container("b")] });
  await until(() => job());
  const told = job();
  if (told) told.status.containers = [status("a", running())];
  world.site.leave();
  world.site.comeBack();
  await until(() => state()?.running);
  expect(world.pod()?.status?.containerStatuses?.map(({ name }) => name)).toEqual(["a", "b"]);
});
