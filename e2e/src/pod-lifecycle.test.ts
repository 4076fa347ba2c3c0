import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Event, Pod } from "kubernetes-types/core/v1.js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type PodOptions, podManifest } from "./harness/manifest.ts";
import { System } from "./harness/system.ts";
import { describeClusters } from "./systems/describe-system.ts";
import { waitUntil } from "./systems/wait-until.ts";

const SLEEP = "exec sleep 1000";

function shell(name: string, command: string, over: Record<string, unknown> = {}) {
  return { name, image: "busybox:latest", command: ["sh", "-c", command], ...over };
}

function conditionOf(pod: Pod | undefined, type: string) {
  return pod?.status?.conditions?.find((one) => one.type === type);
}

function mainOf(pod: Pod | undefined) {
  return pod?.status?.containerStatuses?.find(({ name }) => name === "main");
}

describeClusters("the life of a pod on the virtual node", (target) => {
  let system: System;
  /** Pods of the process plugin see the files of this machine. */
  let directory: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "interlink-lifecycle-"));
    system = await System.start({ plugin: { name: "process" }, target });
  });
  afterAll(async () => {
    await system?.[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  const kubectl = (...args: string[]) => system.kubectl.run(args);
  // An old API server drops fields that it does not know; kubectl would refuse them before.
  const apply = (name: string, options: PodOptions = {}) =>
    system.kubectl.run(["create", "--validate=false", "-f", "-"], {
      input: podManifest(name, options),
    });
  const file = (name: string) => join(directory, name);
  const lines = async (name: string) => (await readFile(file(name), "utf8")).trim().split("\n");

  async function eventsOf(pod: Pod | undefined): Promise<Event[]> {
    const selector = `involvedObject.uid=${pod?.metadata?.uid},source=kubelet`;
    const args = ["get", "events", "--field-selector", selector];
    return (await system.kubectl.json<{ items: Event[] }>(args)).items;
  }

  /** The pod, as soon as it is as wanted. */
  function seen(what: string, name: string, is: (pod: Pod) => unknown): Promise<Pod> {
    return waitUntil(`${name}: ${what}`, async () => {
      const pod = await system.pod(name);
      return pod !== undefined && is(pod) ? pod : undefined;
    });
  }

  function gone(name: string): Promise<unknown> {
    return waitUntil(`${name} is gone`, async () => (await system.pod(name)) === undefined);
  }

  describe("a pod with a nodeName of its own, that no scheduler has checked,", () => {
    const bound = { nodeName: "virtual" };
    const asking = (requests: object) => ({ spec: bound, container: { resources: { requests } } });
    const noPlace =
      "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector";

    test.each<[string, PodOptions, string, RegExp | string]>([
      [
        "that asks for more cpu than there is",
        asking({ cpu: "9999" }),
        "OutOfcpu",
        /^Node didn't have enough resource: cpu, requested: 9999000, used: \d+, capacity: \d+$/,
      ],
      [
        "that asks for more memory than there is",
        asking({ memory: "1Pi" }),
        "OutOfmemory",
        /^Node didn't have enough resource: memory, requested: 1125899906842624, used: \d+, capacity: \d+$/,
      ],
      [
        "that selects other nodes",
        { spec: { ...bound, nodeSelector: { zone: "mars" } } },
        "NodeAffinity",
        noPlace,
      ],
      [
        "that is for another system",
        { spec: { ...bound, nodeSelector: { "kubernetes.io/os": "windows" } } },
        "PodOSSelectorNodeLabelDoesNotMatch",
        "Failed to admit pod as the `kubernetes.io/os` label doesn't match node label",
      ],
      [
        "that wants to change the kernel",
        {
          spec: {
            ...bound,
            securityContext: { sysctls: [{ name: "kernel.msgmax", value: "65536" }] },
          },
        },
        "SysctlForbidden",
        'forbidden sysctl: "kernel.msgmax" not allowlisted',
      ],
    ])(
      "%s is rejected, and its reason is what kubectl shows",
      async (_, options, reason, message) => {
        const name = `rejected-${reason.toLowerCase()}`;
        await apply(name, options);
        const pod = await system.podInPhase(name, "Failed");
        expect(pod.status).toMatchObject({ reason, startTime: expect.any(String) });
        expect(pod.status?.message?.replace("Pod was rejected: ", "")).toMatch(message);
        expect(pod.status?.message).toMatch(/^Pod was rejected: /);
        expect(await kubectl("get", "pod", name)).toMatch(new RegExp(`\\s${reason}\\s`));
        await waitUntil("the event", async () =>
          (await eventsOf(pod)).some(
            (event) => event.reason === reason && event.type === "Warning",
          ),
        );
        await kubectl("delete", "pod", name);
      },
    );
  });

  test("a deadline that is set on a running pod ends it", async () => {
    await apply("deadline", { command: SLEEP, spec: { activeDeadlineSeconds: 3600 } });
    await system.podInPhase("deadline", "Running");
    await kubectl("patch", "pod", "deadline", "-p", '{"spec":{"activeDeadlineSeconds":1}}');
    const pod = await system.podInPhase("deadline", "Failed");
    expect(pod.status).toMatchObject({
      reason: "DeadlineExceeded",
      message: "Pod was active on the node longer than the specified deadline",
    });
    expect(mainOf(pod)?.state?.terminated).toMatchObject({ exitCode: 143 });
    expect((await eventsOf(pod)).map(({ reason }) => reason)).toContain("DeadlineExceeded");
    await kubectl("delete", "pod", "deadline");
  });

  test("a readiness gate decides over Ready, and conditions of others stay", async () => {
    const readinessGates = [{ conditionType: "example.com/gate" }];
    await apply("gate", { command: SLEEP, spec: { readinessGates } });
    const ready = (status: string) =>
      seen(`Ready=${status}`, "gate", (pod) => {
        return mainOf(pod)?.ready && conditionOf(pod, "Ready")?.status === status;
      });
    expect(conditionOf(await ready("False"), "Ready")).toMatchObject({
      reason: "ReadinessGatesNotReady",
      message: 'corresponding condition of pod readiness gate "example.com/gate" does not exist.',
    });
    const open = (status: "True" | "False") =>
      system.writePodStatus("gate", ({ conditions = [] }) => {
        const old = conditions.findIndex(({ type }) => type === "example.com/gate");
        if (old >= 0) conditions.splice(old, 1);
        conditions.push({ type: "example.com/gate", status });
      });
    await open("True");
    await ready("True");
    await open("False");
    const pod = await ready("False");
    expect(conditionOf(pod, "ContainersReady")?.status).toBe("True");
    expect(conditionOf(pod, "example.com/gate")?.status).toBe("False");
    await kubectl("delete", "pod", "gate");
  });

  test("what somebody else writes over the node's own word is put right", async () => {
    await apply("foreign", { command: SLEEP });
    await seen("ready", "foreign", (pod) => conditionOf(pod, "Ready")?.status === "True");
    await system.writePodStatus("foreign", (status) => {
      status.phase = "Pending";
      delete status.containerStatuses;
      for (const one of status.conditions ?? []) if (one.type === "Ready") one.status = "False";
    });
    await seen("as before", "foreign", (pod) => {
      return (
        pod.status?.phase === "Running" &&
        mainOf(pod)?.state?.running &&
        conditionOf(pod, "Ready")?.status === "True"
      );
    });
    await kubectl("delete", "pod", "foreign");
  });

  test("a pod that somebody else declares Failed stays Failed, and its processes end", async () => {
    await apply("declared", { command: `echo $$$$ > ${file("declared")}; ${SLEEP}` });
    await system.podInPhase("declared", "Running");
    await waitUntil("the process runs", () => existsSync(file("declared")));
    await system.writePodStatus("declared", (status) => {
      status.phase = "Failed";
      status.reason = "Declared";
    });
    const pod = await seen("has ended", "declared", (one) => mainOf(one)?.state?.terminated);
    expect(pod.status).toMatchObject({ phase: "Failed", reason: "Declared" });
    expect(mainOf(pod)?.restartCount).toBe(0);
    await kubectl("delete", "pod", "declared");
  });

  test("labels and annotations may be edited; nothing is restarted", async () => {
    await apply("edited", { command: SLEEP });
    const before = await system.podInPhase("edited", "Running");
    await kubectl("label", "pod", "edited", "color=blue");
    await kubectl("annotate", "pod", "edited", "note=mine");
    // The node answers a later write only after it has seen the edits.
    await system.writePodStatus("edited", (status) => {
      status.message = "from somebody else";
    });
    const after = await seen("put right", "edited", (pod) => pod.status?.message === undefined);
    expect(after.metadata?.labels).toMatchObject({ color: "blue" });
    expect(after.metadata?.annotations).toMatchObject({ note: "mine" });
    expect(mainOf(after)?.containerID).toBe(mainOf(before)?.containerID);
    await kubectl("delete", "pod", "edited");
  });

  test("a pod with a finalizer ends, is let go by the node, and goes with its finalizer", async () => {
    const finalizers = '{"metadata":{"finalizers":["example.com/wait"]}}';
    await apply("ended", { command: "exit 3" });
    await apply("held", { command: SLEEP });
    for (const [name, phase] of [
      ["ended", "Failed"],
      ["held", "Running"],
    ] as const) {
      await kubectl("patch", "pod", name, "-p", finalizers);
      await system.podInPhase(name, phase);
      await kubectl("delete", "pod", name, "--wait=false");
    }
    const held = await seen("let go by the node", "held", ({ metadata, status }) => {
      return status?.phase === "Failed" && metadata?.deletionGracePeriodSeconds === 0;
    });
    expect(mainOf(held)?.state?.terminated?.exitCode).toBe(143);
    const ended = await system.pod("ended");
    expect(ended?.metadata?.deletionTimestamp).toBeDefined();
    expect(mainOf(ended)?.state?.terminated?.exitCode).toBe(3);
    for (const name of ["ended", "held"]) {
      await kubectl("patch", "pod", name, "-p", '{"metadata":{"finalizers":null}}');
      await gone(name);
    }
  });

  test("a forced delete lets a successor of the same name start beside its predecessor", async () => {
    const old = `trap '' TERM; echo $$$$ > ${file("old")}; while true; do sleep 0.1; done`;
    await apply("twin", { command: old, spec: { terminationGracePeriodSeconds: 2 } });
    const first = await system.podInPhase("twin", "Running");
    const pid = await waitUntil("the first runs", async () =>
      existsSync(file("old"))
        ? Number(await readFile(file("old"), "utf8")) || undefined
        : undefined,
    );
    await kubectl("delete", "pod", "twin", "--force", "--grace-period=0");
    await apply("twin", { command: SLEEP });
    const second = await system.podInPhase("twin", "Running");
    expect(second.metadata?.uid).not.toBe(first.metadata?.uid);
    await waitUntil("the first has ended", () => !isAlive(pid));
    const after = await system.pod("twin");
    expect(after?.metadata?.uid).toBe(second.metadata?.uid);
    expect(mainOf(after)).toMatchObject({ restartCount: 0, ready: true });
    await kubectl("delete", "pod", "twin");
  });

  test("a shorter grace period is kept when it is asked for later", async () => {
    const deaf = `trap '' TERM; echo $$$$ > ${file("deaf")}; while true; do sleep 0.1; done`;
    await apply("deaf", { command: deaf, spec: { terminationGracePeriodSeconds: 600 } });
    await waitUntil("it runs", () => existsSync(file("deaf")));
    await system.podInPhase("deaf", "Running");
    await kubectl("delete", "pod", "deaf", "--wait=false");
    await kubectl("delete", "pod", "deaf", "--grace-period=1", "--timeout=60s");
    expect(await system.pod("deaf")).toBeUndefined();
  });

  test("a pod that never started goes at once, and never looks successful", async () => {
    const env = [{ name: "A", valueFrom: { configMapKeyRef: { name: "absent", key: "a" } } }];
    await apply("unborn", { container: { env } });
    await seen("waits", "unborn", (pod) => {
      return mainOf(pod)?.state?.waiting?.reason === "CreateContainerConfigError";
    });
    await kubectl("patch", "pod", "unborn", "-p", '{"metadata":{"finalizers":["example.com/x"]}}');
    await kubectl("delete", "pod", "unborn", "--wait=false");
    const pod = await system.podInPhase("unborn", "Failed");
    expect(mainOf(pod)?.state?.terminated).toBeUndefined();
    await kubectl("patch", "pod", "unborn", "-p", '{"metadata":{"finalizers":null}}');
    await gone("unborn");
  });

  test("restart counts go on over kill -9 of node, server and plugin, and never back", async () => {
    const once = `test -e ${file("go")} && ${SLEEP}; exit 7`;
    await apply("counted", { command: once, spec: { restartPolicy: "Always" } });
    const waits = await seen("was restarted", "counted", (pod) => {
      const { restartCount, state } = mainOf(pod) ?? {};
      return restartCount === 1 && state?.waiting?.reason === "CrashLoopBackOff";
    });
    expect(mainOf(waits)?.lastState?.terminated).toMatchObject({ exitCode: 7, reason: "Error" });
    const counts: number[] = [];
    await writeFile(file("go"), "");
    for (const part of ["node", "plugin", "server"] as const) {
      await system.kill9(part);
      counts.push(mainOf(await system.pod("counted"))?.restartCount ?? -1);
      await system.launch(part);
    }
    const runs = await seen("runs", "counted", (pod) => mainOf(pod)?.state?.running);
    counts.push(mainOf(runs)?.restartCount ?? -1);
    expect(counts).toEqual(counts.toSorted((a, b) => a - b));
    expect(mainOf(runs)).toMatchObject({
      restartCount: 2,
      lastState: { terminated: { exitCode: 7 } },
    });
    await kubectl("delete", "pod", "counted");
  });

  test("init containers run in order before the others; one that fails for good ends the pod", async () => {
    const step = (name: string) => shell(name, `echo ${name} >> ${file("order")}`);
    await apply("inits", {
      command: `echo main >> ${file("order")}`,
      spec: { initContainers: [step("one"), step("two")] },
    });
    const pod = await system.podInPhase("inits", "Succeeded");
    expect(await lines("order")).toEqual(["one", "two", "main"]);
    expect(conditionOf(pod, "Initialized")).toMatchObject({
      status: "True",
      reason: "PodCompleted",
    });
    await apply("fails", { spec: { initContainers: [shell("one", "exit 1")] } });
    const failed = await system.podInPhase("fails", "Failed");
    expect(mainOf(failed)?.state?.waiting?.reason).toBe("PodInitializing");
    expect(conditionOf(failed, "Initialized")).toMatchObject({
      status: "False",
      reason: "ContainersNotInitialized",
      message: "containers with incomplete status: [one]",
    });
    await kubectl("delete", "pod", "inits", "fails");
  });

  // Kubernetes before 1.28 has no sidecars: it drops the restart policy of init containers.
  test.skipIf(target.kind === "real")(
    "sidecars start before, and end after, the containers beside them",
    async () => {
      const tell = (word: string) => `echo ${word} >> ${file("sidecars")}`;
      const sidecar = (name: string) =>
        shell(
          name,
          `trap '${tell(`${name} ends`)}; exit 9' TERM; ${tell(name)}; while true; do sleep 0.1; done`,
          {
            restartPolicy: "Always",
            startupProbe: {
              exec: { command: ["grep", "-qx", name, file("sidecars")] },
              periodSeconds: 1,
            },
          },
        );
      await apply("sidecars", {
        command: `${tell("main")}; sleep 0.2; ${tell("main ends")}`,
        spec: {
          initContainers: [sidecar("first"), shell("init", tell("init")), sidecar("second")],
        },
      });
      await system.podInPhase("sidecars", "Succeeded");
      expect(await lines("sidecars")).toEqual([
        "first",
        "init",
        "second",
        "main",
        "main ends",
        "second ends",
        "first ends",
      ]);
      await kubectl("delete", "pod", "sidecars");
    },
  );

  test("postStart runs before the pod counts as running, preStop before its end", async () => {
    const tell = (word: string) => ({
      exec: { command: ["sh", "-c", `echo ${word} >> ${file("hooks")}`] },
    });
    await apply("hooks", {
      command: `trap 'echo end >> ${file("hooks")}; exit 0' TERM; while true; do sleep 0.1; done`,
      container: { lifecycle: { postStart: tell("started"), preStop: tell("stopping") } },
    });
    await seen("ready", "hooks", (pod) => conditionOf(pod, "Ready")?.status === "True");
    expect(await lines("hooks")).toEqual(["started"]);
    await kubectl("delete", "pod", "hooks");
    expect(await lines("hooks")).toEqual(["started", "stopping", "end"]);
  });

  test("an image that is edited restarts its container, whatever its policy says", async () => {
    await apply("edition", { command: SLEEP });
    const before = await system.podInPhase("edition", "Running");
    await kubectl("set", "image", "pod/edition", "main=busybox:newer");
    const pod = await seen("was restarted", "edition", (one) => {
      return mainOf(one)?.restartCount === 1 && mainOf(one)?.state?.running;
    });
    expect(mainOf(pod)).toMatchObject({
      image: "busybox:newer",
      lastState: { terminated: { exitCode: 143, containerID: mainOf(before)?.containerID } },
    });
    const texts = (await eventsOf(pod)).map(({ message }) => message);
    expect(texts).toContain("Container main definition changed, will be restarted");
    await kubectl("delete", "pod", "edition");
  });

  test("a container that must not run as root is not run as root", async () => {
    await apply("nonroot", { container: { securityContext: { runAsNonRoot: true } } });
    const isRoot = process.getuid?.() === 0;
    const pod = await seen("is refused, or has run", "nonroot", (one) => {
      const { state } = mainOf(one) ?? {};
      return state?.waiting?.reason === "CreateContainerConfigError" || state?.terminated;
    });
    const { waiting, terminated } = mainOf(pod)?.state ?? {};
    if (isRoot) {
      expect(waiting?.message).toMatch(/^container has runAsNonRoot and image will run as root/);
    } else {
      expect(terminated?.exitCode).toBe(0);
    }
    await kubectl("delete", "pod", "nonroot");
  });

  test("a pod that fills an emptyDir beyond its limit is evicted", async () => {
    await apply("greedy", {
      command: `dd if=/dev/zero of="\${INTERLINK_VOLUMES:-}/scratch/file" bs=1M count=3; ${SLEEP}`,
      spec: {
        restartPolicy: "Always",
        volumes: [{ name: "scratch", emptyDir: { sizeLimit: "1Mi" } }],
      },
      container: { volumeMounts: [{ name: "scratch", mountPath: "/scratch" }] },
    });
    const pod = await system.podInPhase("greedy", "Failed");
    const message = 'Usage of EmptyDir volume "scratch" exceeds the limit "1Mi". ';
    expect(pod.status).toMatchObject({ reason: "Evicted", message });
    expect(conditionOf(pod, "DisruptionTarget")).toMatchObject({
      status: "True",
      reason: "TerminationByKubelet",
    });
    expect(mainOf(pod)?.state?.terminated).toMatchObject({ exitCode: expect.any(Number) });
    expect((await eventsOf(pod)).map(({ reason }) => reason)).toContain("Evicted");
    await kubectl("delete", "pod", "greedy");
  });

  test("a container that fails its liveness probe is restarted, and the events say why", async () => {
    await writeFile(file("alive"), "");
    await apply("probed", {
      command: `touch ${file("alive")} ${file("lives")}; ${SLEEP}`,
      spec: { restartPolicy: "Always", terminationGracePeriodSeconds: 1 },
      container: {
        livenessProbe: {
          exec: { command: ["test", "-e", file("alive")] },
          periodSeconds: 1,
          failureThreshold: 1,
        },
      },
    });
    await waitUntil("it lives", () => existsSync(file("lives")));
    await rm(file("alive"));
    const pod = await seen("was restarted", "probed", (one) => {
      return mainOf(one)?.restartCount === 1 && mainOf(one)?.state?.running;
    });
    expect(mainOf(pod)?.lastState?.terminated).toMatchObject({ exitCode: 143 });
    const events = await waitUntil("the events", async () => {
      const told = await eventsOf(pod);
      return told.some(({ reason }) => reason === "Killing") ? told : undefined;
    });
    const texts = events.map(({ reason, message }) => `${reason}: ${message}`);
    expect(texts).toContain("Killing: Container main failed liveness probe, will be restarted");
    expect(texts.some((text) => text.startsWith("Unhealthy: Liveness probe failed"))).toBe(true);
    expect(events.find(({ reason }) => reason === "Killing")?.involvedObject.fieldPath).toBe(
      "spec.containers{main}",
    );
    await kubectl("delete", "pod", "probed");
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
