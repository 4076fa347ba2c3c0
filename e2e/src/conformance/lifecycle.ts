import { expect } from "vitest";
import { conditionOf, containerOf, exitCodeOf, SLEEP, steps, untilTold } from "./pods.ts";
import type { Group } from "./suite.ts";

/** Behaviours 1 to 9 and 13: how pods come, change and go. */
export const lifecycle: Group = (behaviour) => {
  behaviour(1, {}, async (site) => {
    await site.createPod("whole-life", { command: untilTold(7) });
    await site.podReady("whole-life");
    await site.logWith("whole-life", /up/);
    await site.kubectl.run(["delete", "pod", "whole-life", "--wait=false"]);
    await site.podGone("whole-life");
    const changes = site.history.of("whole-life");
    expect(steps(changes.map(({ type }) => type))).toEqual(["ADDED", "MODIFIED", "DELETED"]);
    const running = changes.findIndex(({ object }) => object.status?.phase === "Running");
    const marked = changes.findIndex(
      ({ object }) => object.metadata?.deletionTimestamp !== undefined,
    );
    expect(running).toBeGreaterThan(0);
    expect(marked).toBeGreaterThan(running);
    expect(changes[marked]?.object.metadata?.deletionGracePeriodSeconds).toBe(5);
    // It was asked to end, and had the time to.
    expect(exitCodeOf(changes.at(-1)?.object)).toBe(7);
  });

  behaviour(2, {}, async (site) => {
    await site.createPod("label-change", { command: SLEEP });
    await site.podReady("label-change");
    await site.kubectl.run(["label", "pod", "label-change", "--overwrite", "app=other"]);
    const pod = await site.podWhen(
      "label-change",
      "has the label",
      ({ metadata }) => metadata?.labels?.["app"] === "other",
    );
    expect(pod.status?.phase).toBe("Running");
    expect(containerOf(pod)?.restartCount).toBe(0);
    await site.delete("label-change");
  });

  behaviour(3, {}, async (site) => {
    const spec = { activeDeadlineSeconds: 3600 };
    await site.createPod("deadline", { command: SLEEP, spec });
    await site.podReady("deadline");
    await site.patchPod("deadline", { spec: { activeDeadlineSeconds: 1 } });
    const pod = await site.podInPhase("deadline", "Failed");
    expect(pod.status?.reason).toBe("DeadlineExceeded");
    expect(containerOf(pod)?.state?.running).toBeUndefined();
    await site.delete("deadline");
  });

  behaviour(4, {}, async (site) => {
    await site.createPod("host-ip", { command: SLEEP });
    const pod = await site.podReady("host-ip");
    expect(pod.status?.hostIP).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
    await site.delete("host-ip");
  });

  behaviour(5, {}, async (site) => {
    const names = ["collected-a", "collected-b", "collected-c"];
    await Promise.all(
      names.map(async (name) => {
        await site.createPod(name, { command: SLEEP });
        await site.kubectl.run(["label", "pod", name, "kind=collected"]);
        await site.podReady(name);
      }),
    );
    await site.kubectl.run(["delete", "pods", "-l", "kind=collected", "--timeout=60s"]);
    for (const name of names) expect(await site.system.pod(name)).toBeUndefined();
  });

  behaviour(6, {}, async (site) => {
    await site.createPod("foreign-status", { command: SLEEP });
    await site.podReady("foreign-status");
    await site.system.writePodStatus("foreign-status", ({ conditions }) => {
      conditions?.push({ type: "example.com/mark", status: "True", reason: "Marked" });
    });
    // Now the node has something to write too.
    await site.patchPod("foreign-status", { spec: { activeDeadlineSeconds: 1 } });
    const pod = await site.podInPhase("foreign-status", "Failed");
    expect(conditionOf(pod, "example.com/mark")).toMatchObject({
      status: "True",
      reason: "Marked",
    });
    await site.delete("foreign-status");
  });

  behaviour(7, {}, async (site) => {
    await site.createPod("in-order", { command: untilTold(0) });
    await site.podReady("in-order");
    await site.logWith("in-order", /up/);
    await site.system.writePodStatus("in-order", ({ conditions = [] }) => {
      for (const one of conditions) if (one.type === "Ready") one.status = "False";
    });
    const readiness = () =>
      steps(site.history.states("in-order").map((pod) => conditionOf(pod, "Ready")?.status));
    await site.podSeen("in-order", "is ready again", () =>
      readiness().join().endsWith("False,True"),
    );
    await site.kubectl.run(["delete", "pod", "in-order", "--grace-period=30"]);
    await site.podGone("in-order");
    const pods = site.history.states("in-order");
    expect(steps(pods.map(({ status }) => status?.phase))).toEqual([
      "Pending",
      "Running",
      "Succeeded",
    ]);
    expect(steps(pods.map((pod) => conditionOf(pod, "PodScheduled")?.status))).toEqual([
      undefined,
      "True",
    ]);
    const told = readiness().filter((status) => status !== undefined);
    expect(told).toEqual(["False", "True", "False", "True", "False"]);
  });

  behaviour(8, {}, async (site) => {
    const spec = { restartPolicy: "Always" };
    await site.createPod("always-fails", { spec, container: { command: ["false"] } });
    const pod = await site.podSeen(
      "always-fails",
      "has ended",
      (one) => containerOf(one)?.lastState?.terminated !== undefined,
    );
    expect(containerOf(pod)?.lastState?.terminated).toMatchObject({ exitCode: 1, reason: "Error" });
    await site.delete("always-fails");
  });

  behaviour(9, {}, async (site) => {
    await site.createPod("fails", { command: "exit 1", spec: { restartPolicy: "Always" } });
    await site.podSeen(
      "fails",
      "is backed off",
      (pod) => containerOf(pod)?.state?.waiting?.reason === "CrashLoopBackOff",
    );
    await site.kubectl.run(["delete", "pod", "fails", "--timeout=30s"]);
    expect(await site.system.pod("fails")).toBeUndefined();
  });

  behaviour(13, { sinceVersion: "1.33" }, async (site) => {
    const manifest = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "generation", generation: 100, finalizers: ["example.com/hold"] },
      spec: {
        terminationGracePeriodSeconds: 1,
        tolerations: [{ operator: "Exists" }],
        containers: [
          {
            name: "main",
            image: "busybox:latest",
            imagePullPolicy: "IfNotPresent",
            command: ["sh", "-c", SLEEP],
          },
        ],
      },
    };
    await site.apply(manifest);
    const pod = await site.podReady("generation");
    expect(pod.metadata?.generation).toBe(1);
    await site.kubectl.run(["delete", "pod", "generation", "--wait=false"]);
    await site.podSeen("generation", "is of generation 2", ({ metadata, status }) => {
      const { observedGeneration } = status as { observedGeneration?: number };
      return metadata?.generation === 2 && observedGeneration === 2;
    });
    await site.patchPod("generation", { metadata: { finalizers: null } });
    await site.podGone("generation");
  });
};
