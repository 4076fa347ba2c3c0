import type { Pod } from "kubernetes-types/core/v1.js";
import { expect } from "vitest";
import { podManifest } from "../harness/manifest.ts";
import { waitUntil } from "../systems/wait-until.ts";
import { eventsOf, STAY } from "./pod-helpers.ts";
import type { Site } from "./site.ts";
import type { Group } from "./suite.ts";

/** A template of a pod as `podManifest` makes it. */
function template(app: string, command: string, restartPolicy = "Always"): object {
  const { spec } = JSON.parse(podManifest(app, { command, spec: { restartPolicy } })) as Pod;
  return { metadata: { labels: { app } }, spec };
}

function job(name: string, command: string, spec: object = {}): object {
  const pod = template(name, command, "Never");
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name },
    spec: { template: pod, ...spec },
  };
}

/** A Deployment, StatefulSet … of so many pods. */
function set(kind: string, name: string, command = STAY, spec: object = { replicas: 2 }): object {
  const selector = { matchLabels: { app: name } };
  return {
    apiVersion: "apps/v1",
    kind,
    metadata: { name },
    spec: { selector, template: template(name, command), ...spec },
  };
}

async function podsOf(site: Site, app: string): Promise<Pod[]> {
  const { items } = await site.kubectl.json<{ items: Pod[] }>(["get", "pods", "-l", `app=${app}`]);
  return items;
}

function ready(site: Site, app: string, count: number): Promise<Pod[]> {
  return waitUntil(`${count} pods of ${app} are ready`, async () => {
    const pods = (await podsOf(site, app)).filter(
      ({ metadata, status }) =>
        metadata?.deletionTimestamp === undefined &&
        status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True"),
    );
    return pods.length === count && pods;
  });
}

function gone(site: Site, app: string): Promise<unknown> {
  return waitUntil(`no pod of ${app} is left`, async () => (await podsOf(site, app)).length === 0);
}

async function waitFor(site: Site, object: string, condition: string): Promise<void> {
  await site.kubectl.run(["wait", `--for=condition=${condition}`, object, "--timeout=55s"]);
}

/** Behaviours 89 to 91; more about controllers is in controllers.test.ts. */
export const controllers: Group = (behaviour) => {
  behaviour(89, {}, async (site) => {
    await site.apply(job("job-many", "exit 0", { completions: 3, parallelism: 2 }));
    await site.apply(job("job-fails", "exit 17", { backoffLimit: 0 }));
    await site.apply(job("job-deleted", "exec sleep 1000"));
    const [before] = await ready(site, "job-deleted", 1);
    await site.delete(before?.metadata?.name ?? "");
    const [after] = await ready(site, "job-deleted", 1);
    expect(after?.metadata?.uid).not.toBe(before?.metadata?.uid);
    await waitFor(site, "job/job-many", "Complete");
    expect((await podsOf(site, "job-many")).map(({ status }) => status?.phase)).toEqual(
      Array(3).fill("Succeeded"),
    );
    await waitFor(site, "job/job-fails", "Failed");
    const [failed] = await podsOf(site, "job-fails");
    expect(failed?.status?.containerStatuses?.[0]?.state?.terminated?.exitCode).toBe(17);
    await site.kubectl.run(["delete", "job", "job-many", "job-fails", "job-deleted"]);
    await gone(site, "job-deleted");
  });

  behaviour(89, { sinceVersion: "1.26" }, async (site) => {
    const indexed = { completions: 3, parallelism: 3, completionMode: "Indexed" };
    await site.apply(job("job-indexed", "echo $JOB_COMPLETION_INDEX", indexed));
    const rules = [{ action: "FailJob", onExitCodes: { operator: "In", values: [42] } }];
    await site.apply(job("job-rules", "exit 42", { podFailurePolicy: { rules } }));
    await site.apply(job("job-suspended", STAY, { suspend: true }));
    await waitFor(site, "job/job-indexed", "Complete");
    const logs = (await podsOf(site, "job-indexed")).map(({ metadata }) =>
      site.logs(metadata?.name ?? ""),
    );
    expect((await Promise.all(logs)).toSorted()).toEqual(["0\n", "1\n", "2\n"]);
    await waitFor(site, "job/job-rules", "Failed");
    expect(await podsOf(site, "job-rules")).toHaveLength(1);

    await waitFor(site, "job/job-suspended", "Suspended");
    expect(await podsOf(site, "job-suspended")).toEqual([]);
    await suspend(false);
    await ready(site, "job-suspended", 1);
    await suspend(true);
    await gone(site, "job-suspended");
    await site.kubectl.run(["delete", "job", "job-indexed", "job-rules", "job-suspended"]);

    async function suspend(is: boolean): Promise<void> {
      const patch = JSON.stringify({ spec: { suspend: is } });
      await site.kubectl.run(["patch", "job", "job-suspended", "--type=merge", "-p", patch]);
    }
  });

  behaviour(90, {}, async (site) => {
    await site.apply(set("Deployment", "deployed"));
    await site.apply(
      set("StatefulSet", "stateful", STAY, { replicas: 2, serviceName: "stateful" }),
    );
    await site.apply(set("DaemonSet", "daemon", STAY, {}));
    const [first] = await ready(site, "deployed", 2);
    await site.apply(set("Deployment", "deployed", `echo new; ${STAY}`));
    await site.kubectl.run(["rollout", "status", "deployment/deployed", "--timeout=60s"]);
    const rolled = await ready(site, "deployed", 2);
    expect(rolled.map(({ metadata }) => metadata?.uid)).not.toContain(first?.metadata?.uid);

    await ready(site, "stateful", 2);
    await site.delete("stateful-0");
    const stateful = await ready(site, "stateful", 2);
    expect(new Set(stateful.map(({ metadata }) => metadata?.name))).toEqual(
      new Set(["stateful-0", "stateful-1"]),
    );

    const [daemon] = await ready(site, "daemon", 1);
    await site.delete(daemon?.metadata?.name ?? "");
    const [other] = await ready(site, "daemon", 1);
    expect(other?.metadata?.uid).not.toBe(daemon?.metadata?.uid);
    await site.kubectl.run([
      "delete",
      "deployment/deployed",
      "statefulset/stateful",
      "daemonset/daemon",
    ]);
    await Promise.all(["deployed", "stateful", "daemon"].map((app) => gone(site, app)));
  });

  behaviour(90, {}, async (site) => {
    await site.apply(set("ReplicaSet", "replicas"));
    await site.apply({
      apiVersion: "policy/v1beta1",
      kind: "PodDisruptionBudget",
      metadata: { name: "replicas" },
      spec: { minAvailable: 2, selector: { matchLabels: { app: "replicas" } } },
    });
    const [pod] = await ready(site, "replicas", 2);
    const name = pod?.metadata?.name ?? "";
    await budgetAllows(0);
    expect((await evict(name)).stderr).toContain("disruption budget");
    await site.kubectl.run(["scale", "replicaset/replicas", "--replicas=3"]);
    await budgetAllows(1);
    expect((await evict(name)).code).toBe(0);
    await ready(site, "replicas", 3);
    expect(await site.system.pod(name)).toBeUndefined();
    await site.kubectl.run(["delete", "replicaset/replicas", "pdb/replicas"]);
    await gone(site, "replicas");

    async function budgetAllows(count: number): Promise<void> {
      await waitUntil(`${count} disruptions are allowed`, async () => {
        const { status } = await site.kubectl.json<{
          status?: { disruptionsAllowed?: number; currentHealthy?: number };
        }>(["get", "pdb", "replicas"]);
        return (status?.currentHealthy ?? 0) >= 2 && status?.disruptionsAllowed === count;
      });
    }

    function evict(podName: string) {
      const path = `/api/v1/namespaces/default/pods/${podName}/eviction`;
      const metadata = { name: podName, namespace: "default" };
      const input = { apiVersion: "policy/v1beta1", kind: "Eviction", metadata };
      return site.kubectl.try(["create", "--raw", path, "-f", "-"], {
        input: JSON.stringify(input),
      });
    }
  });

  behaviour(90, {}, async (site) => {
    const namespace = "quota";
    await site.kubectl.run(["create", "namespace", namespace]);
    await site.kubectl.run(["create", "quota", "few", "--hard=pods=1", "-n", namespace]);
    const used = (count: string) =>
      waitUntil(`the quota counts ${count} pods`, async () => {
        const get = ["get", "quota", "few", "-n", namespace, "-o", "jsonpath={.status.used.pods}"];
        return (await site.kubectl.run(get)) === count;
      });
    await used("0");
    const create = (name: string) =>
      site.kubectl.try(["create", "-n", namespace, "-f", "-"], {
        input: podManifest(name, { command: STAY }),
      });
    expect((await create("in-quota")).code).toBe(0);
    await used("1");
    expect((await create("over-quota")).stderr).toContain("exceeded quota");
    await site.kubectl.run(["delete", "pod", "in-quota", "-n", namespace, "--timeout=30s"]);
    await used("0");
    await site.kubectl.run(["delete", "namespace", namespace, "--timeout=60s"]);
  });

  behaviour(90, {}, async (site) => {
    const label = { key: "kubernetes.io/hostname", operator: "NotIn" };
    const away = { matchExpressions: [{ ...label, values: [site.system.nodeName] }] };
    const required = { nodeSelectorTerms: [away] };
    const elsewhere = {
      "not-selected": { nodeSelector: { "kubernetes.io/hostname": "elsewhere" } },
      "not-liked": {
        affinity: {
          nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: required },
        },
      },
      "not-fitting": {
        containers: [
          { name: "main", image: "busybox:latest", resources: { requests: { cpu: "100000" } } },
        ],
      },
      "not-tolerating": { tolerations: [] },
    };
    await Promise.all(
      Object.entries(elsewhere).map(async ([name, spec]) => {
        await site.createPod(name, { spec });
        await eventsOf(site, name, "FailedScheduling");
        expect((await site.system.pod(name))?.spec?.nodeName).toBeUndefined();
      }),
    );
    await site.delete(...Object.keys(elsewhere));
    const near = { nodeSelector: { "kubernetes.io/hostname": site.system.nodeName } };
    await site.createPod("selected", { spec: near });
    await site.podInPhase("selected", "Succeeded");
    await site.delete("selected");
  });

  // The minute has to turn: the slowest one.
  behaviour(90, {}, async (site) => {
    const { spec } = job("cron", "exit 0") as { spec: object };
    await site.apply({
      apiVersion: "batch/v1beta1",
      kind: "CronJob",
      metadata: { name: "cron" },
      spec: { schedule: "*/1 * * * *", jobTemplate: { spec } },
    });
    await waitUntil(
      "a pod of the CronJob has succeeded",
      async () => (await podsOf(site, "cron")).some(({ status }) => status?.phase === "Succeeded"),
      100_000,
    );
    await site.kubectl.run(["delete", "cronjob", "cron"]);
    await gone(site, "cron");
  });

  behaviour(91, {}, async (site) => {
    await site.apply(set("Deployment", "collected"));
    await site.apply(set("ReplicaSet", "orphaned", STAY, { replicas: 1 }));
    await ready(site, "collected", 2);
    const [orphan] = await ready(site, "orphaned", 1);
    await site.kubectl.run(["delete", "deployment", "collected"]);
    await gone(site, "collected");
    await site.kubectl.run(["delete", "replicaset", "orphaned", "--cascade=orphan"]);
    const [left] = await ready(site, "orphaned", 1);
    expect(left?.metadata?.uid).toBe(orphan?.metadata?.uid);
    expect(left?.metadata?.ownerReferences).toBeUndefined();
    await site.delete(left?.metadata?.name ?? "");
  });
};
