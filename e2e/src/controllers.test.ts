import type { Pod } from "kubernetes-types/core/v1.js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { System } from "./harness/system.ts";
import { describeClusters } from "./systems/describe-system.ts";
import { waitUntil } from "./systems/wait-until.ts";

interface PodList {
  items: Pod[];
}

const TOLERATE_ALL = [{ operator: "Exists" }];

/** A pod template of one container that runs until it is stopped, unless told otherwise. */
function template(app: string, command = "exec sleep 1000", spec: Record<string, unknown> = {}) {
  return {
    metadata: { labels: { app } },
    spec: {
      terminationGracePeriodSeconds: 5,
      tolerations: TOLERATE_ALL,
      containers: [
        {
          name: "main",
          image: "busybox:latest",
          imagePullPolicy: "IfNotPresent",
          command: ["sh", "-c", command],
        },
      ],
      ...spec,
    },
  };
}

function readyPods({ items }: PodList): Pod[] {
  return items.filter(({ metadata, status }) => {
    const ready = status?.conditions?.find(({ type }) => type === "Ready");
    return metadata?.deletionTimestamp === undefined && ready?.status === "True";
  });
}

function namesOf(pods: readonly Pod[]): string[] {
  return pods.map(({ metadata }) => metadata?.name ?? "").toSorted();
}

describeClusters("controllers on top of the virtual node", (target) => {
  let system: System;

  beforeAll(async () => {
    system = await System.start({ plugin: { name: "process" }, target });
  });
  afterAll(async () => {
    await system?.kubectl.try([
      "delete",
      "deployments,statefulsets,daemonsets,cronjobs,jobs",
      "--all",
      "--timeout=60s",
    ]);
    await system?.[Symbol.asyncDispose]();
  });

  async function apply(object: Record<string, unknown>): Promise<void> {
    await system.kubectl.run(["apply", "-f", "-"], { input: JSON.stringify(object) });
  }

  function podsOf(app: string): Promise<PodList> {
    return system.kubectl.json<PodList>(["get", "pods", "-l", `app=${app}`]);
  }

  function untilReady(app: string, count: number): Promise<Pod[]> {
    return waitUntil(`${count} pods of ${app} are ready`, async () => {
      const ready = readyPods(await podsOf(app));
      return ready.length === count ? ready : undefined;
    });
  }

  function untilGone(app: string): Promise<unknown> {
    return waitUntil(
      `no pod of ${app} is left`,
      async () => (await podsOf(app)).items.length === 0,
    );
  }

  describe("a Job", () => {
    function job(name: string, spec: Record<string, unknown>): Record<string, unknown> {
      return { apiVersion: "batch/v1", kind: "Job", metadata: { name }, spec };
    }

    test("with several completions runs each and ends", async () => {
      await apply(
        job("many", {
          completions: 4,
          parallelism: 2,
          template: template("many", "exit 0", { restartPolicy: "Never" }),
        }),
      );
      await system.kubectl.run(["wait", "--for=condition=Complete", "job/many", "--timeout=60s"]);
      const { items } = await podsOf("many");
      expect(items.map(({ status }) => status?.phase)).toEqual(Array(4).fill("Succeeded"));
      await system.kubectl.run(["delete", "job", "many"]);
      await untilGone("many");
    });

    test("whose pods fail is tried again so often as it says, each with its real exit code", async () => {
      await apply(
        job("failing", {
          backoffLimit: 1,
          template: template("failing", "exit 17", { restartPolicy: "Never" }),
        }),
      );
      await system.kubectl.run(["wait", "--for=condition=Failed", "job/failing", "--timeout=90s"]);
      const { items } = await podsOf("failing");
      const codes = items.map(
        ({ status }) => status?.containerStatuses?.[0]?.state?.terminated?.exitCode,
      );
      expect(codes).toEqual([17, 17]);
      await system.kubectl.run(["delete", "job", "failing"]);
      await untilGone("failing");
    });

    test("with OnFailure restarts the container in its pod", async () => {
      await apply(
        job("restarting", {
          template: template("restarting", "exit 0", {
            restartPolicy: "OnFailure",
            volumes: [{ name: "marks", emptyDir: {} }],
            containers: [
              {
                name: "main",
                image: "busybox:latest",
                imagePullPolicy: "IfNotPresent",
                // The first run leaves a mark in the shared directory, the second one finds it.
                command: ["sh", "-c", "[ -e /marks/1 ] && exit 0; touch /marks/1; exit 1"],
                volumeMounts: [{ name: "marks", mountPath: "/marks" }],
              },
            ],
          }),
        }),
      );
      await system.kubectl.run([
        "wait",
        "--for=condition=Complete",
        "job/restarting",
        "--timeout=60s",
      ]);
      const [pod] = (await podsOf("restarting")).items;
      expect(pod?.status?.containerStatuses?.[0]?.restartCount).toBe(1);
      await system.kubectl.run(["delete", "job", "restarting"]);
      await untilGone("restarting");
    });
  });

  // The embedded cluster has Jobs only; these need the controllers of a real one.
  if (target.kind === "embedded") return;

  describe("of a real Kubernetes", () => {
    describe("a Deployment", () => {
      function deployment(command?: string, replicas = 2): Record<string, unknown> {
        return {
          apiVersion: "apps/v1",
          kind: "Deployment",
          metadata: { name: "web" },
          spec: {
            replicas,
            selector: { matchLabels: { app: "web" } },
            strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
            template: template("web", command),
          },
        };
      }

      test("comes up, rolls over to a new template, scales, and replaces a deleted pod", async () => {
        await apply(deployment());
        await system.kubectl.run(["rollout", "status", "deployment/web", "--timeout=60s"]);
        const before = namesOf(await untilReady("web", 2));

        await apply(deployment("exec sleep 2000"));
        await system.kubectl.run(["rollout", "status", "deployment/web", "--timeout=60s"]);
        const after = namesOf(await untilReady("web", 2));
        expect(after.filter((name) => before.includes(name))).toEqual([]);

        await system.kubectl.run(["scale", "deployment/web", "--replicas=4"]);
        const [first = ""] = namesOf(await untilReady("web", 4));
        await system.kubectl.run(["delete", "pod", first, "--timeout=60s"]);
        expect(namesOf(await untilReady("web", 4))).not.toContain(first);

        await system.kubectl.run(["delete", "deployment", "web"]);
        await untilGone("web");
      });
    });

    describe("a StatefulSet", () => {
      test("starts its pods in order, and gives a deleted one its name again", async () => {
        await apply({
          apiVersion: "apps/v1",
          kind: "StatefulSet",
          metadata: { name: "db" },
          spec: {
            serviceName: "db",
            replicas: 2,
            selector: { matchLabels: { app: "db" } },
            template: template("db"),
          },
        });
        const pods = await untilReady("db", 2);
        expect(namesOf(pods)).toEqual(["db-0", "db-1"]);
        const started = new Map(
          pods.map(({ metadata, status }) => [metadata?.name, status?.startTime]),
        );
        expect(Date.parse(started.get("db-0") ?? "")).toBeLessThanOrEqual(
          Date.parse(started.get("db-1") ?? ""),
        );
        const uid = pods.find(({ metadata }) => metadata?.name === "db-0")?.metadata?.uid;

        await system.kubectl.run(["delete", "pod", "db-0", "--timeout=60s"]);
        const again = await waitUntil("db-0 is ready again", async () =>
          readyPods(await podsOf("db")).find(
            ({ metadata }) => metadata?.name === "db-0" && metadata.uid !== uid,
          ),
        );
        expect(again.status?.containerStatuses?.[0]?.restartCount).toBe(0);

        await system.kubectl.run(["delete", "statefulset", "db"]);
        await untilGone("db");
      });
    });

    describe("a DaemonSet", () => {
      function daemonSet(tolerations: unknown[]): Record<string, unknown> {
        const pod = template("agent");
        return {
          apiVersion: "apps/v1",
          kind: "DaemonSet",
          metadata: { name: "agent" },
          spec: {
            selector: { matchLabels: { app: "agent" } },
            template: { ...pod, spec: { ...pod.spec, tolerations } },
          },
        };
      }

      test("that does not tolerate the node's taint leaves it alone", async () => {
        await apply(daemonSet([]));
        const seen = await waitUntil("the controller has looked at the DaemonSet", async () => {
          const { status, metadata } = await system.kubectl.json<{
            status?: { observedGeneration?: number; desiredNumberScheduled?: number };
            metadata: { generation?: number };
          }>(["get", "daemonset", "agent"]);
          return status?.observedGeneration === metadata.generation ? { status } : undefined;
        });
        expect(seen.status?.desiredNumberScheduled).toBe(0);
        await system.kubectl.run(["delete", "daemonset", "agent"]);
      });

      test("that tolerates it gets its pod, and a new one when that has failed", async () => {
        await apply(daemonSet(TOLERATE_ALL));
        const [pod] = await untilReady("agent", 1);
        const name = pod?.metadata?.name ?? "";
        // As the conformance test does it: somebody else says that the pod has failed.
        await system.writePodStatus(name, (status) => {
          status.phase = "Failed";
        });
        await waitUntil("the failed pod is replaced", async () => {
          const ready = readyPods(await podsOf("agent"));
          return ready.length === 1 && ready[0]?.metadata?.name !== name;
        });
        await system.kubectl.run(["delete", "daemonset", "agent"]);
        await untilGone("agent");
      });
    });

    test("a CronJob starts Jobs that run to their end", async () => {
      await apply({
        apiVersion: "batch/v1beta1",
        kind: "CronJob",
        metadata: { name: "tick" },
        spec: {
          schedule: "*/1 * * * *",
          jobTemplate: {
            spec: { template: template("tick", "exit 0", { restartPolicy: "Never" }) },
          },
        },
      });
      // The minute has to turn: the one slow test here.
      await waitUntil(
        "a pod of the CronJob has succeeded",
        async () =>
          (await podsOf("tick")).items.some(({ status }) => status?.phase === "Succeeded"),
        100_000,
      );
      await system.kubectl.run(["delete", "cronjob", "tick"]);
      await untilGone("tick");
    });

    test("a disruption budget holds an eviction back until another pod is ready", async () => {
      await apply({
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { name: "guarded" },
        spec: {
          replicas: 1,
          selector: { matchLabels: { app: "guarded" } },
          template: template("guarded"),
        },
      });
      await apply({
        apiVersion: "policy/v1beta1",
        kind: "PodDisruptionBudget",
        metadata: { name: "guarded" },
        spec: { minAvailable: 1, selector: { matchLabels: { app: "guarded" } } },
      });
      const [pod] = await untilReady("guarded", 1);
      const name = pod?.metadata?.name ?? "";
      await untilDisruptionsAllowed(0);
      const refused = await evict(name);
      expect(refused.code).not.toBe(0);
      expect(refused.stderr).toContain("disruption budget");

      await system.kubectl.run(["scale", "deployment/guarded", "--replicas=2"]);
      await untilReady("guarded", 2);
      await untilDisruptionsAllowed(1);
      const evicted = await evict(name);
      expect(evicted.stderr).toBe("");
      await waitUntil(
        "the evicted pod is gone",
        async () => (await system.pod(name)) === undefined,
      );
      expect(namesOf(await untilReady("guarded", 2))).not.toContain(name);
      await system.kubectl.run(["delete", "poddisruptionbudget/guarded", "deployment/guarded"]);
      await untilGone("guarded");
    });

    function evict(name: string) {
      const path = `/api/v1/namespaces/default/pods/${name}/eviction`;
      return system.kubectl.try(["create", "--raw", path, "-f", "-"], {
        input: JSON.stringify({
          apiVersion: "policy/v1beta1",
          kind: "Eviction",
          metadata: { name, namespace: "default" },
        }),
      });
    }

    async function untilDisruptionsAllowed(count: number): Promise<void> {
      await waitUntil(`the budget allows ${count} disruptions`, async () => {
        const { status } = await system.kubectl.json<{
          status?: { disruptionsAllowed?: number; expectedPods?: number };
        }>(["get", "poddisruptionbudget", "guarded"]);
        return (status?.expectedPods ?? 0) > 0 && status?.disruptionsAllowed === count;
      });
    }
  });
});
