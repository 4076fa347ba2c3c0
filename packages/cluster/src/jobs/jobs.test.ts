import fc from "fast-check";
import type { Job, JobSpec } from "kubernetes-types/batch/v1.js";
import type { Pod } from "kubernetes-types/core/v1.js";
import { pino } from "pino";
import { afterEach, describe, expect, it } from "vitest";
import { as, clone, type KubeObject } from "../api/object.ts";
import { EventRecorder } from "../controllers/event-recorder.ts";
import { GarbageCollector } from "../controllers/garbage-collector.ts";
import { deleteObject } from "../rest/delete.ts";
import { updateObject } from "../rest/update.ts";
import type { Storage } from "../storage/storage.ts";
import { systemChance } from "../storage/storage.ts";
import { must } from "../testing/must.ts";
import { put, testCall, testStorage } from "../testing/objects.ts";
import { JobController } from "./job-controller.ts";
import { backoffMs, formatIndexes, judge, parseIndexes, wantedActive } from "./job-state.ts";

const template = {
  spec: { restartPolicy: "Never", containers: [{ name: "main", image: "busybox" }] },
};

describe("the state of a job", () => {
  it.each<
    [
      Partial<JobSpec>,
      { succeeded?: number; failed?: number; isNew?: boolean; runningMs?: number },
      string | undefined,
    ]
  >([
    [{ completions: 1 }, {}, undefined],
    [{ completions: 1 }, { succeeded: 1 }, "CompletionsReached"],
    [{ completions: 2 }, { succeeded: 1 }, undefined],
    [{ backoffLimit: 0, completions: 1 }, { failed: 1, isNew: true }, "BackoffLimitExceeded"],
    [{ backoffLimit: 1, completions: 1 }, { failed: 1, isNew: true }, undefined],
    [{ activeDeadlineSeconds: 5, completions: 1 }, { runningMs: 5000 }, "DeadlineExceeded"],
    [{ activeDeadlineSeconds: 5, completions: 1 }, { runningMs: 4999 }, undefined],
  ])("%j with %j ends by %s", (spec, given, reason) => {
    const { succeeded = 0, failed = 0, isNew = false, runningMs = 0 } = given;
    const facts = { succeeded, failed, hasNewFailure: isNew, active: [], runningMs };
    expect(judge({ template, ...spec }, facts)?.reason).toBe(reason);
  });

  it("fails by restarts where the kubelet restarts the container", () => {
    const pod = { status: { containerStatuses: [{ restartCount: 2 }] } } as unknown as Pod;
    const spec = {
      template: { spec: { restartPolicy: "OnFailure", containers: [] } },
      backoffLimit: 2,
      completions: 1,
    };
    const facts = { succeeded: 0, failed: 0, hasNewFailure: false, active: [pod], runningMs: 0 };
    expect(judge(spec, facts)?.reason).toBe("BackoffLimitExceeded");
  });

  it.each<[Partial<JobSpec>, number, number]>([
    [{ completions: 5, parallelism: 2 }, 0, 2],
    [{ completions: 5, parallelism: 2 }, 4, 1],
    [{ completions: 1, parallelism: 1 }, 1, 0],
    [{ parallelism: 3 }, 0, 3],
    [{ completions: 5, parallelism: 2, suspend: true }, 0, 0],
  ])("%j after %i successes wants %i pods", (spec, succeeded, wanted) => {
    expect(wantedActive({ template, ...spec }, succeeded, 0, 0)).toBe(wanted);
  });

  it("waits ever longer after failures, up to ten minutes", () => {
    expect([0, 1, 2, 3, 20].map((count) => backoffMs(count, 10_000))).toEqual([
      0, 10_000, 20_000, 40_000, 600_000,
    ]);
  });

  it("writes indexes so that they can be read back", () => {
    expect(formatIndexes([4, 0, 1, 2])).toBe("0-2,4");
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(200)), (indexes) => {
        expect([...parseIndexes(formatIndexes(indexes))]).toEqual(
          [...indexes].sort((a, b) => a - b),
        );
      }),
    );
  });
});

describe("job controller", () => {
  const stops: (() => void)[] = [];
  afterEach(() => {
    for (const stop of stops.splice(0)) stop();
  });

  function start(spec: Partial<JobSpec>, backoff = 0): Storage {
    const storage = testStorage(systemChance);
    const parts = {
      storage,
      events: new EventRecorder(storage),
      logger: pino({ level: "silent" }),
    };
    for (const controller of [new JobController(parts, backoff), new GarbageCollector(parts)]) {
      controller.start();
      stops.push(() => controller.stop());
    }
    put(
      storage,
      "jobs",
      {
        metadata: { name: "j", namespace: "default" },
        spec: { template: clone(template), ...spec },
      },
      "batch",
    );
    return storage;
  }
  const job = (storage: Storage): Job =>
    as<Job>(must(storage.find("jobs", "default", "j", "batch")));
  const pods = (storage: Storage): KubeObject[] => storage.storeOf("pods").list();
  const end = (storage: Storage, pod: KubeObject, phase: string, more = {}): void => {
    const target = { definition: storage.must("pods"), namespace: "default" };
    updateObject(
      storage,
      target,
      pod.metadata.name ?? "",
      (current) => ({ ...clone(current), status: { phase, ...more } }),
      testCall,
      "status",
    );
  };
  const active = (storage: Storage): KubeObject[] =>
    pods(storage).filter((pod) => as<Pod>(pod).status?.phase === "Pending");
  const conditions = (storage: Storage): string[] =>
    (job(storage).status?.conditions ?? [])
      .filter((item) => item.status === "True")
      .map((item) => item.type);

  it("runs pods until enough have succeeded, counts each once and lets them go", async () => {
    const storage = start({ completions: 3, parallelism: 2 });
    await expect.poll(() => active(storage)).toHaveLength(2);
    expect(pods(storage)[0]?.metadata.finalizers).toEqual(["batch.kubernetes.io/job-tracking"]);
    for (let count = 0; count < 3; count += 1) {
      await expect.poll(() => active(storage).length).toBeGreaterThan(0);
      end(storage, must(active(storage)[0]), "Succeeded");
      await expect.poll(() => job(storage).status?.succeeded).toBe(count + 1);
    }
    await expect.poll(() => conditions(storage)).toEqual(["SuccessCriteriaMet", "Complete"]);
    expect(pods(storage)).toHaveLength(3);
    expect(pods(storage).every((pod) => pod.metadata.finalizers === undefined)).toBe(true);
    expect(job(storage).status).toMatchObject({ succeeded: 3, ready: 0, terminating: 0 });
    const reasons = storage
      .storeOf("events")
      .list()
      .map((event) => event.reason);
    expect(reasons.filter((reason) => reason === "SuccessfulCreate")).toHaveLength(3);
    expect(reasons).toContain("Completed");
  });

  it("tries again after a failure and gives up past the limit", async () => {
    const storage = start({ backoffLimit: 1 });
    for (let failed = 1; failed <= 2; failed += 1) {
      await expect.poll(() => active(storage)).toHaveLength(1);
      end(storage, must(active(storage)[0]), "Failed");
      await expect.poll(() => job(storage).status?.failed).toBe(failed);
    }
    await expect.poll(() => conditions(storage)).toEqual(["FailureTarget", "Failed"]);
    expect(pods(storage)).toHaveLength(2);
    expect(job(storage).status?.conditions?.at(-1)).toMatchObject({
      reason: "BackoffLimitExceeded",
      message: "Job has reached the specified backoff limit",
    });
  });

  it("ends at once, or goes on, by its rules about failures", async () => {
    const onExitCodes = (values: number[]) => ({ operator: "In", values });
    const exited = (exitCode: number) => ({
      containerStatuses: [{ name: "main", restartCount: 0, state: { terminated: { exitCode } } }],
    });
    const rules = [
      { action: "FailJob", onExitCodes: onExitCodes([42]) },
      { action: "Ignore", onExitCodes: onExitCodes([7]) },
    ];
    const storage = start({ backoffLimit: 0, podFailurePolicy: { rules } });
    await expect.poll(() => active(storage)).toHaveLength(1);
    end(storage, must(active(storage)[0]), "Failed", exited(7));
    await expect.poll(() => active(storage)).toHaveLength(1);
    expect(job(storage).status?.failed).toBeUndefined();
    end(storage, must(active(storage)[0]), "Failed", exited(42));
    await expect.poll(() => conditions(storage)).toEqual(["FailureTarget", "Failed"]);
    expect(job(storage).status?.failed).toBe(1);
    expect(job(storage).status?.conditions?.at(-1)?.reason).toBe("PodFailurePolicy");
  });

  it("waits before it tries again", async () => {
    const storage = start({}, 3_600_000);
    await expect.poll(() => active(storage)).toHaveLength(1);
    end(storage, must(active(storage)[0]), "Failed");
    await expect.poll(() => job(storage).status?.failed).toBe(1);
    expect(active(storage)).toHaveLength(0);
  });

  it("gives each pod of an Indexed job its index", async () => {
    const storage = start({ completions: 3, parallelism: 3, completionMode: "Indexed" });
    await expect.poll(() => active(storage)).toHaveLength(3);
    const indexes = pods(storage).map(
      (pod) => pod.metadata.annotations?.["batch.kubernetes.io/job-completion-index"],
    );
    expect(indexes.toSorted((a, b) => must(a).localeCompare(must(b)))).toEqual(["0", "1", "2"]);
    const env = as<Pod>(must(pods(storage)[0])).spec?.containers[0]?.env;
    expect(env?.map((item) => item.name)).toEqual(["JOB_COMPLETION_INDEX"]);
    for (const pod of pods(storage)) end(storage, pod, "Succeeded");
    await expect.poll(() => conditions(storage)).toContain("Complete");
    expect(job(storage).status?.completedIndexes).toBe("0-2");
  });

  it("starts nothing while it is suspended", async () => {
    const storage = start({ suspend: true });
    await expect.poll(() => conditions(storage)).toEqual(["Suspended"]);
    expect(pods(storage)).toHaveLength(0);
    const target = { definition: storage.must("jobs", "batch"), namespace: "default" };
    updateObject(
      storage,
      target,
      "j",
      (current) => {
        const next = clone(current);
        Object.assign(next.spec as object, { suspend: false });
        return next;
      },
      testCall,
    );
    await expect.poll(() => pods(storage)).toHaveLength(1);
  });

  it("is removed with its pods some time after it finished", async () => {
    const storage = start({ ttlSecondsAfterFinished: 0 });
    await expect.poll(() => active(storage)).toHaveLength(1);
    end(storage, must(active(storage)[0]), "Succeeded");
    await expect
      .poll(() => [storage.storeOf("jobs", "batch").size, storage.storeOf("pods").size])
      .toEqual([0, 0]);
  });

  it.each(["Background", "Foreground"] as const)(
    "deleted by %s takes its pods with it",
    async (propagationPolicy) => {
      const storage = start({});
      await expect.poll(() => active(storage)).toHaveLength(1);
      const target = { definition: storage.must("jobs", "batch"), namespace: "default" };
      deleteObject(storage, target, "j", { propagationPolicy }, testCall);
      await expect
        .poll(() => [storage.storeOf("jobs", "batch").size, storage.storeOf("pods").size])
        .toEqual([0, 0]);
    },
  );

  it("deleted by Orphan leaves its pods, free of it", async () => {
    const storage = start({});
    await expect.poll(() => active(storage)).toHaveLength(1);
    const target = { definition: storage.must("jobs", "batch"), namespace: "default" };
    deleteObject(storage, target, "j", { propagationPolicy: "Orphan" }, testCall);
    await expect.poll(() => storage.storeOf("jobs", "batch").size).toBe(0);
    expect(pods(storage)).toHaveLength(1);
    expect(pods(storage)[0]?.metadata.ownerReferences).toBeUndefined();
  });
});
