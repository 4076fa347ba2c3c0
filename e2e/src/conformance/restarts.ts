import { expect } from "vitest";
import {
  conditionOf,
  containerOf,
  exitCodeOf,
  hasBegun,
  isReady,
  SLEEP,
  shared,
  shell,
  steps,
  untilTold,
} from "./pods.ts";
import type { Group } from "./suite.ts";

/** Behaviours 10, 14, 15, 17 and 21: what runs again, and what never does. */
export const restarts: Group = (behaviour) => {
  // Ends with 1, then with 0, then runs on; each run notes that it was.
  const counting =
    "echo run >> /work/runs; case $(wc -l < /work/runs) in 1) exit 1;; 2) exit 0;; esac";

  behaviour(10, {}, async (site) => {
    const expected = [
      ["Always", "Running", 2, true],
      ["OnFailure", "Succeeded", 1, false],
      ["Never", "Failed", 0, false],
    ] as const;
    await Promise.all(
      expected.map(async ([restartPolicy, phase, count, ready]) => {
        const name = `policy-${restartPolicy.toLowerCase()}`;
        const command = `${counting}; ${SLEEP}`;
        await site.createPod(name, shared({ command, spec: { restartPolicy } }));
        const pod = await site.podSeen(name, `is ${phase} after ${count} restarts`, (one) => {
          const { restartCount, state } = containerOf(one) ?? {};
          const is = phase === "Running" ? state?.running : state?.terminated;
          return one.status?.phase === phase && restartCount === count && is !== undefined;
        });
        expect(isReady(pod)).toBe(ready);
        expect(containerOf(pod)?.ready).toBe(ready);
        await site.delete(name);
      }),
    );
  });

  behaviour(14, {}, async (site) => {
    // Nothing of them ever ends well, so whatever says so is wrong. Each is deleted after another number of changes.
    await Promise.all(
      Array.from({ length: 10 }, async (_, index) => {
        const name = `short-${index}`;
        await site.createPod(name, { command: untilTold(1) });
        const changes = () => site.history.of(name).length;
        await site.podSeen(name, "has changed", () => changes() > index % 5);
        await site.kubectl.run(["delete", "pod", name, "--wait=false"]);
        await site.podGone(name);
        for (const pod of site.history.states(name)) {
          expect(exitCodeOf(pod)).not.toBe(0);
          expect(pod.status?.phase).not.toBe("Succeeded");
        }
        const phases = steps(site.history.states(name).map(({ status }) => status?.phase));
        expect(phases.join()).toMatch(/^Pending(,Running)?(,Failed)?$/);
      }),
    );
  });

  behaviour(15, {}, async (site) => {
    const pods = ["init-fails-first", "init-fails-second"] as const;
    await Promise.all(
      pods.map(async (name, failing) => {
        const initContainers = [0, 1].map((index) =>
          shell(`init${index}`, index === failing ? "exit 1" : "exit 0"),
        );
        await site.createPod(name, { command: "exit 0", spec: { initContainers } });
        await site.podInPhase(name, "Failed");
        await site.delete(name);
        const began = (container: string) =>
          site.history.states(name).some((pod) => hasBegun(pod, container));
        expect(began("main")).toBe(false);
        expect(began("init1")).toBe(failing === 1);
      }),
    );
  });

  behaviour(17, { alone: true }, async (site) => {
    await site.createPod("finished", { command: "echo run" });
    await site.podInPhase("finished", "Succeeded");
    await site.restartPlugin();
    await site.system.kill9("node");
    await site.system.launch("node");
    await site.system.nodeReady();
    await site.kubectl.run(["annotate", "pod", "finished", "seen=yes"]);
    // Whoever comes later is served: what there was to do for the other was done before.
    expect(await site.output("after-finished", { command: "echo later" })).toBe("later\n");
    expect(await site.logs("finished")).toBe("run\n");
    const pod = await site.podWhen(
      "finished",
      "was edited",
      ({ metadata }) => metadata?.annotations?.["seen"] === "yes",
    );
    expect(pod?.status?.phase).toBe("Succeeded");
    expect(containerOf(pod)?.restartCount).toBe(0);
    await site.delete("finished", "after-finished");
  });

  behaviour(17, { sinceVersion: "1.33" }, async (site) => {
    const spec = { nodeName: "virtual", nodeSelector: { planet: "mars" } };
    await site.createPod("rejected-complete", { spec });
    const pod = await site.podInPhase("rejected-complete", "Failed");
    expect(pod.status).toMatchObject({
      reason: "NodeAffinity",
      startTime: expect.any(String),
      qosClass: "BestEffort",
      observedGeneration: pod.metadata?.generation,
    });
    await site.delete("rejected-complete");
  });

  behaviour(
    21,
    {
      note: {
        process:
          "That the back-off ends at 300 s takes 20 minutes to see: unit tests hold it to that.",
        docker:
          "That the back-off ends at 300 s takes 20 minutes to see: unit tests hold it to that.",
        slurm: "That the back-off ends at 300 s takes 20 minutes to see.",
      },
    },
    async (site) => {
      const spec = { restartPolicy: "Always" };
      await site.createPod("backed-off", { command: "exit 1", spec });
      const waiting = (pod: Parameters<typeof containerOf>[0]) =>
        containerOf(pod)?.state?.waiting?.message;
      const is = (delay: string) => `back-off ${delay} restarting failed container=main pod=`;
      await site.podSeen("backed-off", "waits 10 s", (pod) => waiting(pod)?.startsWith(is("10s")));
      await site.podSeen("backed-off", "waits 20 s", (pod) => waiting(pod)?.startsWith(is("20s")));
      await site.patchPod("backed-off", {
        spec: { containers: [{ name: "main", image: "busybox" }] },
      });
      // At once, and then from the beginning.
      const pod = await site.podSeen(
        "backed-off",
        "waits 10 s again",
        (one) =>
          one.spec?.containers[0]?.image === "busybox" && waiting(one)?.startsWith(is("10s")),
      );
      const { lastState, restartCount } = containerOf(pod) ?? {};
      expect(restartCount).toBeGreaterThanOrEqual(3);
      expect(lastState?.terminated?.exitCode).toBe(1);
      expect(conditionOf(pod, "Ready")?.status).toBe("False");
      await site.delete("backed-off");
    },
  );
};
