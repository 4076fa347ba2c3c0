import type { RemotePodStatus } from "@interlink/protocol";
import type { ContainerStatus, Pod, PodSpec } from "kubernetes-types/core/v1.js";
import { describe, expect, test } from "vitest";
import { aPod, container, ended, remote, running, status, waiting } from "../testing/pods.ts";
import { type PodStatusContext, podStatus } from "./pod-status.ts";

const now = new Date("2026-01-01T00:01:00.789Z");
const later = new Date("2026-01-01T00:05:00Z");
const calm: PodStatusContext = { hostIP: "10.0.0.9", allStopped: false };

/** The pod as the API server would hold it after this status was written. */
const written = (pod: Pod, told: RemotePodStatus | undefined, context = calm, at = now): Pod => ({
  ...pod,
  status: podStatus(pod, told, context, at),
});
const conditionsOf = (pod: Pod) =>
  Object.fromEntries(
    (pod.status?.conditions ?? []).map((one) => [
      one.type,
      [one.status, one.reason, one.message].filter(Boolean).join(" "),
    ]),
  );

describe("podStatus before the site knows the pod", () => {
  test("names every container, waiting, with seconds precision and the start time of the first look", () => {
    const pod = aPod({ containers: [container("b"), container("a")] });
    const result = podStatus(pod, undefined, calm, now);
    expect(result).toMatchObject({
      phase: "Pending",
      startTime: "2026-01-01T00:01:00Z",
      hostIP: "10.0.0.9",
      hostIPs: [{ ip: "10.0.0.9" }],
    });
    expect(result.containerStatuses?.map((one) => [one.name, one.state])).toEqual([
      ["a", waiting("ContainerCreating")],
      ["b", waiting("ContainerCreating")],
    ]);
    expect(podStatus({ ...pod, status: result }, undefined, calm, later).startTime).toBe(
      "2026-01-01T00:01:00Z",
    );
  });

  test("says PodInitializing for every container when there are init containers, these in spec order", () => {
    const pod = aPod({ initContainers: [container("z"), container("a")] });
    const result = podStatus(pod, undefined, calm, now);
    expect(result.initContainerStatuses?.map((one) => one.name)).toEqual(["z", "a"]);
    expect(result.containerStatuses?.[0]?.state).toEqual(waiting("PodInitializing"));
    expect(conditionsOf({ status: result })).toMatchObject({
      PodReadyToStartContainers: "False",
      PodScheduled: "True",
      Initialized: "False ContainersNotInitialized containers with incomplete status: [z a]",
      ContainersReady: "False ContainersNotReady containers with unready status: [main]",
      Ready: "False ContainersNotReady containers with unready status: [main]",
    });
  });

  test("tells the container that waits for a missing object apart from the others", () => {
    const pod = aPod({ containers: [container("a"), container("b")] });
    const result = podStatus(
      pod,
      undefined,
      {
        ...calm,
        waiting: new Map([
          ["a", { reason: "CreateContainerConfigError", message: 'configmap "x" not found' }],
        ]),
      },
      now,
    );
    expect(result.containerStatuses?.map((one) => one.state)).toEqual([
      waiting("CreateContainerConfigError", 'configmap "x" not found'),
      waiting("ContainerCreating"),
    ]);
  });

  test("tells the node's address even if it is a loopback one, which is no address for a pod", () => {
    const context = { ...calm, hostIP: "127.0.0.1" };
    expect(podStatus(aPod(), undefined, context, now)).toMatchObject({ hostIP: "127.0.0.1" });
    const onHost = aPod({ hostNetwork: true });
    expect(podStatus(onHost, undefined, context, now)).not.toHaveProperty("podIP");
  });

  test("leaves out a node address that is no IP", () => {
    expect(
      podStatus(aPod(), undefined, { ...calm, hostIP: "gate.example" }, now),
    ).not.toHaveProperty("hostIP");
  });
});

describe("podStatus of a running pod", () => {
  test("is Running and Ready, with the IPs that the site tells", () => {
    const pod = aPod();
    const told = remote(pod, [status("main", running())], {
      extension: { podIPs: ["10.1.0.4", "fd00::4"], hostIP: "192.0.2.7" },
    });
    const result = podStatus(pod, told, calm, now);
    expect(result).toMatchObject({
      phase: "Running",
      podIP: "10.1.0.4",
      podIPs: [{ ip: "10.1.0.4" }, { ip: "fd00::4" }],
      hostIP: "192.0.2.7",
    });
    expect(conditionsOf({ status: result })).toMatchObject({
      PodReadyToStartContainers: "True",
      Initialized: "True",
      ContainersReady: "True",
      Ready: "True",
    });
  });

  test("never reports a loopback address as pod IP", () => {
    const pod = aPod();
    const told = remote(pod, [status("main", running())], {
      extension: { podIPs: ["127.0.0.1", "::1", "nonsense"] },
    });
    expect(podStatus(pod, told, calm, now)).not.toHaveProperty("podIP");
  });

  test("keeps transition times until a condition changes", () => {
    const pod = aPod();
    const up = remote(pod, [status("main", running())]);
    const first = written(pod, up);
    const second = written(first, up, calm, later);
    expect(second.status).toEqual(first.status);
    const down = remote(pod, [status("main", running(), { ready: false })]);
    const third = written(second, down, calm, later);
    const time = (type: string) =>
      third.status?.conditions?.find((one) => one.type === type)?.lastTransitionTime;
    expect(time("Ready")).toBe("2026-01-01T00:05:00Z");
    expect(time("Initialized")).toBe("2026-01-01T00:01:00Z");
  });

  test("keeps what others wrote: readiness gates, qosClass, nominatedNodeName", () => {
    const gate = { type: "example/gate", status: "False" };
    const pod = aPod(
      { readinessGates: [{ conditionType: "example/gate" }] },
      { status: { conditions: [gate], qosClass: "Burstable", nominatedNodeName: "other" } },
    );
    const result = podStatus(pod, remote(pod, [status("main", running())]), calm, now);
    expect(result).toMatchObject({ qosClass: "Burstable", nominatedNodeName: "other" });
    expect(result.conditions).toContainEqual(gate);
    expect(conditionsOf({ status: result }).Ready).toBe(
      'False ReadinessGatesNotReady the status of pod readiness gate "example/gate" is not "True", but False',
    );
  });

  test("moves an end that is followed by a new try to lastState and never lowers the restart count", () => {
    const pod = aPod();
    const first = written(
      pod,
      remote(pod, [status("main", ended(1, "OOMKilled"), { restartCount: 4 })]),
    );
    const second = podStatus(
      first,
      remote(pod, [status("main", waiting("CrashLoopBackOff"), { restartCount: 0 })]),
      calm,
      now,
    );
    expect(second.containerStatuses?.[0]).toMatchObject({
      restartCount: 4,
      state: waiting("CrashLoopBackOff"),
      lastState: { terminated: { exitCode: 1, reason: "OOMKilled" } },
    });
    expect(second.phase).toBe("Running");
  });

  test("carries metadata.generation into status and conditions", () => {
    const pod = aPod({}, { metadata: { generation: 7 } });
    const result = podStatus(pod, remote(pod, [status("main", running())]), calm, now);
    expect(result.observedGeneration).toBe(7);
    expect(result.conditions?.every((one) => one.observedGeneration === 7)).toBe(true);
  });

  const debug = { name: "debug", image: "tools" };
  const debugged = (
    state: ContainerStatus,
    spec: Partial<PodSpec> = {},
    over: Partial<Pod> = {},
  ) => {
    const pod = aPod({ ephemeralContainers: [debug], ...spec }, over);
    const told = remote(pod, [status("main", spec.restartPolicy ? ended(0) : running())]);
    return {
      pod,
      told: { ...told, extension: { ...told.extension, ephemeralContainers: [state] } },
    };
  };

  test("shows ephemeral containers apart: neither ready nor counted", () => {
    const { pod, told } = debugged(status("debug", ended(1)));
    const result = podStatus(pod, told, calm, now);
    expect(result.phase).toBe("Running");
    expect(conditionsOf({ status: result })).toMatchObject({
      Ready: "True",
      ContainersReady: "True",
    });
    const [shown] = result.ephemeralContainerStatuses ?? [];
    expect(shown).toMatchObject({
      name: "debug",
      ready: false,
      state: { terminated: { exitCode: 1 } },
    });
    expect(shown).not.toHaveProperty("started");
    // Whatever is told later: they run once.
    const again = podStatus(
      { ...pod, status: result },
      debugged(status("debug", running())).told,
      calm,
      now,
    );
    expect(again.ephemeralContainerStatuses).toEqual(result.ephemeralContainerStatuses);
  });

  test("does not end the pod while an ephemeral container runs", () => {
    const before = { status: { phase: "Running" } };
    const alive = debugged(status("debug", running()), { restartPolicy: "Never" }, before);
    expect(podStatus(alive.pod, alive.told, calm, now).phase).toBe("Running");
    const over = debugged(status("debug", ended(137)), { restartPolicy: "Never" }, before);
    expect(podStatus(over.pod, over.told, calm, now).phase).toBe("Succeeded");
  });

  test("says that an ephemeral container is being made before the site has told of it", () => {
    const pod = aPod({ ephemeralContainers: [debug] });
    const context = { ...calm, ephemeralContainers: true };
    const result = podStatus(pod, remote(pod, [status("main", running())]), context, now);
    expect(result.ephemeralContainerStatuses?.[0]?.state?.waiting?.reason).toBe(
      "ContainerCreating",
    );
  });

  test("answers for ephemeral containers that nothing runs", () => {
    const pod = aPod({ ephemeralContainers: [{ name: "debug", image: "busybox" }] });
    const result = podStatus(pod, remote(pod, [status("main", running())]), calm, now);
    expect(result.ephemeralContainerStatuses?.[0]?.state?.waiting?.reason).toBe(
      "CreateContainerError",
    );
  });
});

describe("podStatus at the end", () => {
  const never = aPod({ restartPolicy: "Never" });

  test("Succeeded takes Ready back with PodCompleted", () => {
    const result = podStatus(never, remote(never, [status("main", ended(0))]), calm, now);
    expect(result.phase).toBe("Succeeded");
    expect(conditionsOf({ status: result })).toMatchObject({
      Initialized: "True PodCompleted",
      Ready: "False PodCompleted",
      ContainersReady: "False PodCompleted",
    });
  });

  test("a terminal status is never touched again", () => {
    const failed = written(never, remote(never, [status("main", ended(42, "Error"))]));
    expect(failed.status?.phase).toBe("Failed");
    const again = podStatus(failed, remote(never, [status("main", running())]), calm, later);
    expect(again).toBe(failed.status);
  });

  test("an ended container that may not restart stays ended, whatever is told later", () => {
    const two = aPod({ restartPolicy: "Never", containers: [container("a"), container("b")] });
    const first = written(two, remote(two, [status("a", ended(0)), status("b", running())]));
    const second = podStatus(
      first,
      remote(two, [status("a", running()), status("b", running())]),
      calm,
      later,
    );
    expect(second.containerStatuses?.[0]?.state?.terminated?.exitCode).toBe(0);
  });

  test("a failed init container fails the pod only once the sidecar beside it has stopped", () => {
    const pod = aPod({
      restartPolicy: "Never",
      initContainers: [container("side", { restartPolicy: "Always" }), container("i")],
    });
    const told = (side: ReturnType<typeof running>) =>
      remote(pod, [status("main", waiting())], {
        initContainers: [status("side", side), status("i", ended(1))],
      });
    expect(podStatus(pod, told(running()), calm, now).phase).toBe("Pending");
    expect(podStatus(pod, told(ended(143)), calm, now).phase).toBe("Failed");
  });

  test("a stopped pod whose container had begun ends as ContainerStatusUnknown, one that had not stays waiting", () => {
    const two = aPod({ containers: [container("a"), container("b")] });
    const first = written(two, remote(two, [status("a", running()), status("b", waiting())]));
    const result = podStatus(first, undefined, { ...calm, allStopped: true }, later);
    expect(result.phase).toBe("Failed");
    expect(result.containerStatuses?.[0]?.state?.terminated).toMatchObject({
      exitCode: 137,
      reason: "ContainerStatusUnknown",
    });
    expect(result.containerStatuses?.[1]?.state?.waiting).toBeDefined();
  });

  test("a pod that is deleted before anything ran never looks successful", () => {
    const result = podStatus(aPod(), undefined, { ...calm, allStopped: true }, now);
    expect(result.phase).toBe("Failed");
  });

  test.each([
    ["Evicted", true],
    ["Preempting", true],
    ["FailedMount", false],
  ])("a pod that the site ends as %s is a disruption: %s", (reason, disrupted) => {
    const pod = aPod({}, { status: { phase: "Running" } });
    const failed = { reason, message: 'Usage of EmptyDir volume "v" exceeds the limit "1Gi". ' };
    const told = remote(pod, [status("main", ended(137))], { extension: { failed } });
    const { conditions, ...rest } = podStatus(pod, told, calm, now);
    expect(rest).toMatchObject({ phase: "Failed", ...failed });
    const target = conditions?.find(({ type }) => type === "DisruptionTarget");
    if (!disrupted) expect(target).toBeUndefined();
    else {
      expect(target).toMatchObject({
        status: "True",
        reason: "TerminationByKubelet",
        message: failed.message,
      });
    }
  });

  test("a refusal by the plugin shows with its own words", () => {
    const pod = aPod();
    const told = remote(pod, [], {
      extension: { failed: { reason: "SubmitFailed", message: "invalid partition: gpu" } },
    });
    expect(podStatus(pod, told, calm, now)).toMatchObject({
      phase: "Failed",
      reason: "SubmitFailed",
      message: "invalid partition: gpu",
    });
  });

  test("a deadline shows only once everything is stopped", () => {
    const pod = aPod({ activeDeadlineSeconds: 5 });
    const verdict = { reason: "DeadlineExceeded", message: "Pod was active …" };
    const told = remote(pod, [status("main", running())]);
    const waits = podStatus(pod, told, { ...calm, verdict }, now);
    expect(waits).toMatchObject({ phase: "Running" });
    expect(waits).not.toHaveProperty("reason");
    expect(
      podStatus(
        { ...pod, status: waits },
        remote(pod, [status("main", ended(0))]),
        { ...calm, verdict, allStopped: true },
        now,
      ),
    ).toMatchObject({ phase: "Failed", reason: "DeadlineExceeded" });
  });
});

describe("podStatus from a peer of the base protocol", () => {
  const base = { extension: undefined };

  test("an empty container list does not end the pod", () => {
    const pod = written(aPod(), remote(aPod(), [status("main", running())], base));
    expect(podStatus(pod, remote(pod, [], base), calm, later).phase).toBe("Running");
    expect(podStatus(aPod(), remote(aPod(), [], base), calm, later).phase).toBe("Pending");
  });

  test("running means ready unless the peer also says started", () => {
    const pod = aPod();
    const { started: _, ...plain } = status("main", running(), { ready: false });
    const ready = (one: typeof plain) =>
      podStatus(pod, remote(pod, [one], base), calm, now).containerStatuses?.[0]?.ready;
    expect(ready(plain)).toBe(true);
    expect(ready({ ...plain, started: true } as typeof plain)).toBe(false);
  });

  test("init containers that are not listed have ended well once a container has run", () => {
    const pod = aPod({ initContainers: [container("i")] });
    const result = podStatus(pod, remote(pod, [status("main", running())], base), calm, now);
    expect(result.phase).toBe("Running");
    expect(result.initContainerStatuses?.[0]).toMatchObject({
      ready: true,
      state: { terminated: { exitCode: 0, reason: "Completed" } },
    });
  });

  test("a missing exit code is 0", () => {
    const pod = aPod({ restartPolicy: "Never" });
    const told = remote(pod, [status("main", { terminated: {} as never })], base);
    expect(podStatus(pod, told, calm, now)).toMatchObject({
      phase: "Succeeded",
      containerStatuses: [
        { state: { terminated: { exitCode: 0, finishedAt: "2026-01-01T00:01:00Z" } } },
      ],
    });
  });

  test("null times are no times", () => {
    const pod = aPod();
    const told = remote(pod, [status("main", { running: { startedAt: null as never } })], base);
    expect(podStatus(pod, told, calm, now).containerStatuses?.[0]?.state).toEqual(
      running("2026-01-01T00:01:00Z"),
    );
  });

  test("a container that waits for its probes runs, but is not ready", () => {
    const pod = written(aPod(), remote(aPod(), [status("main", running())], base));
    const told = remote(
      pod,
      [status("main", waiting("Waiting for probes to be ready."), { ready: false })],
      base,
    );
    const result = podStatus(pod, told, calm, later);
    expect(result.phase).toBe("Running");
    expect(result.containerStatuses?.[0]).toMatchObject({ ready: false, started: true });
  });

  test("containers that stay ended end the pod, although its policy asks for a restart", () => {
    const pod = aPod({ restartPolicy: "OnFailure" });
    const told = remote(pod, [status("main", ended(3))], base);
    expect(podStatus(pod, told, calm, new Date("2026-01-01T00:00:30Z")).phase).toBe("Running");
    expect(podStatus(pod, told, calm, later).phase).toBe("Failed");
  });
});
