import type { Pod } from "kubernetes-types/core/v1.js";
import { request } from "undici";
import { expect } from "vitest";
import { inBackground } from "./background.ts";
import { conditionOf, containerOf, isReady, SLEEP, seconds, shared, shell, steps } from "./pods.ts";
import type { Site } from "./site.ts";
import { SLURM_LIMITS } from "./slurm-limits.ts";
import type { Group } from "./suite.ts";

type NewerStatus = { observedGeneration?: number };

/** Behaviours 11, 12, 16, 18 to 20, 22 and 23: what a pod's status says of it. */
export const status: Group = (behaviour) => {
  behaviour(11, {}, async (site) => {
    const amounts = { cpu: "10m", memory: "16Mi" };
    const resources = {
      Guaranteed: { limits: amounts, requests: amounts },
      Burstable: { requests: amounts },
      BestEffort: {},
    };
    await Promise.all(
      Object.entries(resources).map(async ([qosClass, wanted]) => {
        const name = `qos-${qosClass.toLowerCase()}`;
        await site.createPod(name, { command: SLEEP, container: { resources: wanted } });
        await site.podReady(name);
        await site.delete(name);
        const classes = site.history.states(name).map((pod) => pod.status?.qosClass);
        expect(steps(classes)).toEqual([qosClass]);
      }),
    );
  });

  behaviour(12, { sinceVersion: "1.33" }, async (site) => {
    const observed = (generation: number) =>
      site.podSeen("observed", `is observed at generation ${generation}`, (pod) => {
        const { observedGeneration } = pod.status as NewerStatus;
        return pod.metadata?.generation === generation && observedGeneration === generation;
      });
    await site.createPod("observed", { command: SLEEP, spec: { activeDeadlineSeconds: 10_000 } });
    await site.podReady("observed");
    await observed(1);
    await using proxy = await inBackground(site, ["proxy", "--port=0"], /127\.0\.0\.1:(\d+)/);
    const url = `http://127.0.0.1:${proxy.match[1]}/api/v1/namespaces/default/pods/observed`;
    // As fast as they are taken, and each of them a change.
    for (let deadline = 9_999; deadline >= 9_500; deadline--) {
      const { statusCode, body } = await request(url, {
        method: "PATCH",
        headers: { "content-type": "application/merge-patch+json" },
        body: JSON.stringify({ spec: { activeDeadlineSeconds: deadline } }),
      });
      await body.dump();
      expect(statusCode).toBe(200);
    }
    const pod = await observed(501);
    expect(containerOf(pod)?.restartCount).toBe(0);
    await site.delete("observed");
  });

  behaviour(16, { notApplicable: { slurm: SLURM_LIMITS.storage } }, async (site) => {
    const command = `dd if=/dev/zero of=/scratch/file bs=1M count=3; ${SLEEP}`;
    await site.createPod("greedy", {
      command,
      spec: {
        restartPolicy: "Always",
        volumes: [{ name: "scratch", emptyDir: { sizeLimit: "1Mi" } }],
      },
      container: { volumeMounts: [{ name: "scratch", mountPath: "/scratch" }] },
    });
    const pod = await site.podInPhase("greedy", "Failed");
    expect(pod.status?.reason).toBe("Evicted");
    expect(pod.status?.message).toBe(
      'Usage of EmptyDir volume "scratch" exceeds the limit "1Mi". ',
    );
    const [event] = await site.eventsOf(pod, ({ reason }) => reason === "Evicted");
    expect(event?.involvedObject.name).toBe("greedy");
    await site.delete("greedy");
    const phases = steps(site.history.states("greedy").map((one) => one.status?.phase));
    expect(phases).toEqual(["Pending", "Running", "Failed"]);
    expect(containerOf(site.history.states("greedy").at(-1))?.restartCount).toBe(0);
  });

  behaviour(18, { sinceVersion: "1.22" }, async (site) => {
    // Whoever is deaf is killed after the grace.
    const command = "trap '' TERM; while true; do sleep 0.1; done";
    await site.createPod("negative-grace", {
      command,
      spec: { terminationGracePeriodSeconds: -1 },
    });
    await site.podReady("negative-grace");
    await site.kubectl.run(["delete", "pod", "negative-grace", "--timeout=30s"]);
    const pod = await site.podGone("negative-grace");
    const marked = site.history
      .states("negative-grace")
      .find(({ metadata }) => metadata?.deletionTimestamp !== undefined);
    expect(marked?.metadata?.deletionGracePeriodSeconds).toBe(1);
    expect(containerOf(pod)?.state?.terminated?.exitCode).toBe(137);
  });

  async function conditionsInOrder(site: Site, name: string, initContainers: unknown[]) {
    // Without init containers nothing has to be prepared for a pod to be initialized.
    const first = ["PodReadyToStartContainers", "Initialized"];
    if (initContainers.length === 0) first.reverse();
    const order = ["PodScheduled", ...first, "ContainersReady", "Ready"];
    await site.createPod(name, { command: SLEEP, spec: { initContainers } });
    await site.podReady(name);
    const states = site.history.states(name);
    const seen = order.map((type) =>
      states.findIndex((pod) => conditionOf(pod, type)?.status === "True"),
    );
    expect(seen).not.toContain(-1);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    const times = order.map((type) =>
      seconds(conditionOf(states.at(-1), type)?.lastTransitionTime),
    );
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    await site.delete(name);
    return states;
  }

  behaviour(19, {}, async (site) => {
    const secretVolumes = { volumes: [{ name: "work", secret: { secretName: "never-there" } }] };
    const missing = async (name: string, initContainers: object[]): Promise<Pod> => {
      const { spec, ...options } = shared({ command: SLEEP, spec: { initContainers } });
      await site.createPod(name, { ...options, spec: { ...spec, ...secretVolumes } });
      const pod = await site.podSeen(
        name,
        "waits for its volume",
        (one) => conditionOf(one, "PodReadyToStartContainers")?.status === "False",
      );
      await site.delete(name);
      return pod;
    };
    const [states, , without, withInit] = await Promise.all([
      conditionsInOrder(site, "ordered-init", [shell("init", "exit 0")]),
      conditionsInOrder(site, "ordered", []),
      missing("unmounted", []),
      missing("unmounted-init", [shell("init", "exit 0")]),
    ]);
    expect(states.some((pod) => conditionOf(pod, "Initialized")?.status === "False")).toBe(true);
    expect(conditionOf(without, "Initialized")?.status).toBe("True");
    expect(conditionOf(withInit, "Initialized")?.status).toBe("False");
  });

  behaviour(20, {}, async (site) => {
    const gate = "example.com/gate";
    const readinessGates = [{ conditionType: gate }];
    await site.createPod("gated", { command: SLEEP, spec: { readinessGates } });
    const write = (value: "True" | "False") =>
      site.system.writePodStatus("gated", (one) => {
        const others = (one.conditions ?? []).filter(({ type }) => type !== gate);
        one.conditions = [...others, { type: gate, status: value }];
      });
    const waits = await site.podSeen(
      "gated",
      "waits for the gate alone",
      (pod) => conditionOf(pod, "ContainersReady")?.status === "True",
    );
    expect(conditionOf(waits, "Ready")).toMatchObject({
      status: "False",
      reason: "ReadinessGatesNotReady",
    });
    await write("True");
    await site.podReady("gated");
    await write("False");
    await site.podWhen("gated", "is unready again", (pod) => !isReady(pod));
    await site.delete("gated");
  });

  behaviour(22, { sinceVersion: "1.25" }, async (site) => {
    const spec = { nodeName: "virtual", os: { name: "windows" } };
    await site.createPod("windows", { spec });
    const pod = await site.podInPhase("windows", "Failed");
    expect(pod.status?.reason).toBe("PodOSNotSupported");
    await site.delete("windows");
  });

  behaviour(23, {}, async (site) => {
    const asking = {
      OutOfcpu: { cpu: "9999" },
      OutOfmemory: { memory: "1Pi" },
    };
    for (const [reason, requests] of Object.entries(asking)) {
      const name = reason.toLowerCase();
      await site.createPod(name, {
        spec: { nodeName: "virtual" },
        container: { resources: { requests } },
      });
      const pod = await site.podInPhase(name, "Failed");
      expect(pod.status?.reason).toBe(reason);
      expect(pod.status?.containerStatuses ?? []).toEqual([]);
      await site.delete(name);
    }
  });
};
