import { expect } from "vitest";
import {
  conditionOf,
  containerOf,
  exec,
  exitCodeOf,
  hasBegun,
  isReady,
  SLEEP,
  seconds,
  shared,
  shell,
} from "./pods.ts";
import type { Site } from "./site.ts";
import type { Group } from "./suite.ts";

/** Behaviours 28 to 33: init containers and sidecars. */
export const initContainers: Group = (behaviour) => {
  const TWO = [shell("init0", "exit 0"), shell("init1", "exit 0")];

  /** Whether the containers of {@link TWO} ended well, one after the other, before the main one began. */
  function expectOrder(site: Site, name: string): void {
    const states = site.history.states(name);
    const last = states.at(-1);
    const of = (container: string) => containerOf(last, container)?.state?.terminated;
    expect(of("init0")).toMatchObject({ exitCode: 0, reason: "Completed" });
    expect(of("init1")).toMatchObject({ exitCode: 0, reason: "Completed" });
    expect(conditionOf(last, "Initialized")?.status).toBe("True");
    const main = containerOf(last)?.state;
    const times = [
      of("init0")?.startedAt,
      of("init0")?.finishedAt,
      of("init1")?.startedAt,
      of("init1")?.finishedAt,
      (main?.running ?? main?.terminated)?.startedAt,
    ].map((time) => seconds(time));
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    for (const pod of states) {
      if (hasBegun(pod, "init1")) expect(exitCodeOf(pod, "init0")).toBe(0);
      if (hasBegun(pod)) expect(exitCodeOf(pod, "init1")).toBe(0);
    }
  }

  behaviour(28, {}, async (site) => {
    const spec = { restartPolicy: "Always", initContainers: TWO };
    await site.createPod("init-always", { command: SLEEP, spec });
    const pod = await site.podReady("init-always");
    expect(pod.status?.phase).toBe("Running");
    expectOrder(site, "init-always");
    await site.delete("init-always");
  });

  behaviour(29, {}, async (site) => {
    await site.createPod("init-never", { spec: { initContainers: TWO } });
    await site.podInPhase("init-never", "Succeeded");
    expectOrder(site, "init-never");
    await site.delete("init-never");
  });

  behaviour(30, {}, async (site) => {
    const failing = [shell("init0", "exit 0"), shell("init1", "exit 3")];
    await site.createPod("init-fails", { spec: { initContainers: failing } });
    const pod = await site.podInPhase("init-fails", "Failed");
    expect(exitCodeOf(pod, "init0")).toBe(0);
    expect(exitCodeOf(pod, "init1")).toBe(3);
    expect(containerOf(pod)?.state?.waiting?.reason).toBe("PodInitializing");
    expect(conditionOf(pod, "Initialized")).toMatchObject({
      status: "False",
      reason: "ContainersNotInitialized",
      message: "containers with incomplete status: [init1]",
    });
    expect(site.history.states("init-fails").some((one) => hasBegun(one))).toBe(false);
    await site.delete("init-fails");
  });

  behaviour(31, {}, async (site) => {
    const failing = [shell("init0", "exit 1"), shell("init1", "exit 0")];
    const spec = { restartPolicy: "Always", initContainers: failing };
    await site.createPod("init-keeps-failing", { spec });
    // The third restart comes 30 seconds after the first.
    const pod = await site.podSeen(
      "init-keeps-failing",
      "was restarted three times",
      (one) => (containerOf(one, "init0")?.restartCount ?? 0) >= 3,
      90_000,
    );
    expect(pod.status?.phase).toBe("Pending");
    expect(conditionOf(pod, "Initialized")).toMatchObject({
      status: "False",
      reason: "ContainersNotInitialized",
      message: "containers with incomplete status: [init0 init1]",
    });
    for (const one of site.history.states("init-keeps-failing")) {
      expect(hasBegun(one, "init1")).toBe(false);
      expect(hasBegun(one)).toBe(false);
      const { state } = containerOf(one) ?? {};
      if (state !== undefined) expect(state.waiting?.reason).toBe("PodInitializing");
    }
    await site.delete("init-keeps-failing");
  });

  const sidecar = (name: string, command: string, over: Record<string, unknown> = {}) =>
    shell(name, command, { restartPolicy: "Always", ...over });

  behaviour(32, { sinceVersion: "1.28" }, async (site) => {
    const tell = (word: string) => `echo ${word} >> /work/order`;
    const lasting = (name: string, atEnd = "") =>
      `trap '${tell(`${name}-ends`)}; ${atEnd} exit 9' TERM; ${tell(name)}; sleep 1000 & wait`;
    const has = (word: string) => `grep -qx ${word} /work/order`;
    const containers = [
      // Only when its startup probe has passed does the next one start.
      sidecar("first", `sleep 2; ${lasting("first", "cat /work/order;")}`, {
        startupProbe: { ...exec(has("first")), periodSeconds: 1, failureThreshold: 60 },
      }),
      shell("init", tell("init")),
      // It ends well once, and that is no reason to stay away.
      sidecar(
        "second",
        `if ${has("second-once")}; then ${lasting("second")}; fi; ${tell("second-once")}`,
      ),
    ];
    const command = `${tell("main")}; until ${has("second")}; do sleep 0.1; done; ${tell("main-ends")}`;
    await site.createPod("sidecars", shared({ command, spec: { initContainers: containers } }));
    const pod = await site.podInPhase("sidecars", "Succeeded");
    expect(containerOf(pod, "second")?.restartCount).toBe(1);
    expect(containerOf(pod, "first")?.restartCount).toBe(0);
    expect(exitCodeOf(pod)).toBe(0);
    // The first sidecar is the last to end, and so has seen all.
    const order = (await site.logs("sidecars", "-c", "first")).trim().split("\n");
    const fixed = order.filter((word) => word !== "second-once");
    // The sidecar that was restarted and the main container start beside one another.
    const beside = fixed.slice(2, 4);
    expect([...fixed.slice(0, 2), ...beside.toSorted(), ...fixed.slice(4)]).toEqual([
      "first",
      "init",
      "main",
      "second",
      "main-ends",
      "second-ends",
      "first-ends",
    ]);
    await site.delete("sidecars");
  });

  behaviour(33, { sinceVersion: "1.28" }, async (site) => {
    const probe = (command: string) => ({
      ...exec(command),
      periodSeconds: 1,
      failureThreshold: 1,
    });
    const containers = [
      sidecar("unready", SLEEP, { readinessProbe: probe("test -e /work/ready") }),
      // Only its second life passes.
      sidecar("sick", `test -e /work/again && touch /work/well; touch /work/again; ${SLEEP}`, {
        livenessProbe: { ...probe("test -e /work/well"), initialDelaySeconds: 1 },
      }),
    ];
    const command = `sleep 3; touch /work/ready; ${SLEEP}`;
    const spec = { terminationGracePeriodSeconds: 1, initContainers: containers };
    await site.createPod("probed-sidecars", shared({ command, spec }));
    const waits = await site.podSeen(
      "probed-sidecars",
      "runs, and waits for a sidecar to be ready",
      (pod) => containerOf(pod)?.ready === true && !isReady(pod),
    );
    expect(conditionOf(waits, "ContainersReady")?.message).toContain("unready");
    const pod = await site.podSeen(
      "probed-sidecars",
      "is ready, one sidecar having been restarted",
      (one) => isReady(one) && containerOf(one, "sick")?.restartCount === 1,
    );
    expect(containerOf(pod)?.restartCount).toBe(0);
    expect(containerOf(pod, "unready")?.restartCount).toBe(0);
    await site.delete("probed-sidecars");
  });
};
