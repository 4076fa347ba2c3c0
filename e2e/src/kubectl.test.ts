import type { Event, Node, Pod } from "kubernetes-types/core/v1.js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type PodOptions, podManifest } from "./harness/manifest.ts";
import { System } from "./harness/system.ts";
import { describeClusters } from "./systems/describe-system.ts";
import { waitUntil } from "./systems/wait-until.ts";

describeClusters("a person with kubectl and a virtual node", (target) => {
  let system: System;

  beforeAll(async () => {
    system = await System.start({ plugin: { name: "process" }, target });
  });
  afterAll(async () => {
    await system?.[Symbol.asyncDispose]();
  });

  const kubectl = (...args: string[]) => system.kubectl.run(args);
  const apply = (name: string, options: PodOptions = {}) =>
    system.kubectl.run(["apply", "-f", "-"], { input: podManifest(name, options) });
  const eventsOf = async (name: string) =>
    (
      await system.kubectl.json<{ items: Event[] }>([
        "get",
        "events",
        "--field-selector",
        `involvedObject.name=${name}`,
      ])
    ).items;

  test("sees the node Ready, with its version, taint, capacity, lease and heartbeat", async () => {
    expect(await kubectl("get", "nodes")).toMatch(/^virtual\s+Ready\s+\S+\s+\S+\s+v1\.\d+\.\d+/m);
    const node = await system.kubectl.json<Node>(["get", "node", "virtual"]);
    expect(node.spec?.taints).toContainEqual({
      key: "virtual-node.interlink/no-schedule",
      value: "true",
      effect: "NoSchedule",
    });
    expect(node.status?.capacity).toMatchObject({ cpu: expect.any(String) });
    expect(node.metadata?.labels).toMatchObject({
      "kubernetes.io/hostname": "virtual",
      "kubernetes.io/os": "linux",
    });
    const lease = await kubectl("get", "lease", "-n", "kube-node-lease", "virtual", "-o", "yaml");
    expect(lease).toMatch(/holderIdentity: virtual/);
    await kubectl("wait", "--for=condition=InterlinkConnectivity", "node/virtual", "--timeout=60s");
  });

  test("applies a pod, waits for it, reads its log, describes it and deletes it", async () => {
    await apply("story", { command: "echo once upon a time; sleep 0.2; echo the end" });
    await kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/story", "--timeout=60s");
    expect(await kubectl("logs", "story")).toBe("once upon a time\nthe end\n");
    expect(await kubectl("logs", "story", "--tail=1")).toBe("the end\n");
    expect(await kubectl("logs", "story", "--timestamps")).toMatch(
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}\S+ once upon a time\n/,
    );
    expect(await kubectl("get", "pod", "story")).toMatch(/story\s+0\/1\s+Completed\s+0/);
    expect(await kubectl("get", "pod", "story", "-o", "wide")).toMatch(/virtual/);
    const described = await kubectl("describe", "pod", "story");
    expect(described).toMatch(/Node:\s+virtual/);
    expect(described).toMatch(/Exit Code:\s+0/);
    expect(described).toMatch(/Normal\s+Scheduled\s/);
    expect(described).toMatch(/Normal\s+Started\s/);
    expect(await kubectl("delete", "pod", "story")).toMatch(/deleted/);
    expect(await system.pod("story")).toBeUndefined();
  });

  test("follows a log while it is written, until the container ends", async () => {
    await apply("follow", { command: "for i in 1 2 3; do echo $i; sleep 0.2; done" });
    await system.podInPhase("follow", ["Running", "Succeeded"]);
    expect(await kubectl("logs", "-f", "follow")).toBe("1\n2\n3\n");
    await kubectl("delete", "pod", "follow");
  });

  test("sees exit code, restarts, and the log of the attempt before", async () => {
    await apply("crashing", { command: "echo try; exit 42", spec: { restartPolicy: "Always" } });
    const pod = await waitUntil("the container has been restarted and waits", async () => {
      const seen = await system.pod("crashing");
      const [status] = seen?.status?.containerStatuses ?? [];
      return status?.state?.waiting?.reason === "CrashLoopBackOff" ? seen : undefined;
    });
    const [status] = pod.status?.containerStatuses ?? [];
    expect(status?.lastState?.terminated?.exitCode).toBe(42);
    expect(status?.state?.waiting?.message).toMatch(
      /^back-off \d+s restarting failed container=main/,
    );
    expect(await kubectl("logs", "crashing", "--previous")).toBe("try\n");
    expect((await eventsOf("crashing")).map(({ reason }) => reason)).toContain("BackOff");
    await kubectl("delete", "pod", "crashing");
  });

  test("sees why a pod waits for a missing ConfigMap and Secret, and sees it start when they appear", async () => {
    await apply("waiting", {
      command: "cat /config/text; echo $WORD",
      spec: { volumes: [{ name: "config", configMap: { name: "late-config" } }] },
      container: {
        env: [{ name: "WORD", valueFrom: { secretKeyRef: { name: "late-secret", key: "word" } } }],
        volumeMounts: [{ name: "config", mountPath: "/config" }],
      },
    });
    await waitUntil("the mount failure is told", async () =>
      (await eventsOf("waiting")).some(
        ({ reason, message }) =>
          reason === "FailedMount" && message?.includes('configmap "late-config" not found'),
      ),
    );
    expect((await system.pod("waiting"))?.status?.phase).toBe("Pending");
    await kubectl("create", "configmap", "late-config", "--from-literal=text=from config ");
    const pod = await waitUntil("the missing secret is told", async () => {
      const seen = await system.pod("waiting");
      const waiting = seen?.status?.containerStatuses?.[0]?.state?.waiting;
      return waiting?.reason === "CreateContainerConfigError" ? seen : undefined;
    });
    expect(pod.status?.containerStatuses?.[0]?.state?.waiting?.message).toBe(
      'secret "late-secret" not found',
    );
    await kubectl("create", "secret", "generic", "late-secret", "--from-literal=word=from-secret");
    await system.podInPhase("waiting", "Succeeded");
    expect(await kubectl("logs", "waiting")).toBe("from config from-secret\n");
    await kubectl("delete", "pod", "waiting");
  });

  test("edits labels and annotations of a running pod, and nothing reverts them", async () => {
    await apply("labelled", { command: "sleep 1000" });
    await system.podInPhase("labelled", "Running");
    await kubectl("label", "pod", "labelled", "team=blue");
    await kubectl("annotate", "pod", "labelled", "note=mine");
    await kubectl("patch", "pod", "labelled", "-p", '{"metadata":{"labels":{"more":"yes"}}}');
    await kubectl("delete", "pod", "labelled", "--wait=false");
    const pod = await waitUntil("the pod ends", async () => {
      const seen = await system.pod("labelled");
      // What was written last before it went, whatever the node wrote in between.
      if (seen === undefined) return { labels: "gone" };
      expect(seen.metadata?.labels).toMatchObject({ team: "blue", more: "yes" });
      expect(seen.metadata?.annotations).toMatchObject({ note: "mine" });
      return undefined;
    });
    expect(pod).toEqual({ labels: "gone" });
  });

  test("force-deletes a pod: the object goes at once, and the process ends too", async () => {
    await apply("forced", { command: "echo $$$$; trap '' TERM; while true; do sleep 0.1; done" });
    await system.podInPhase("forced", "Running");
    const pid = await waitUntil("the pid is in the log", async () => {
      const log = await kubectl("logs", "forced");
      return log === "" ? undefined : Number(log);
    });
    await kubectl("delete", "pod", "forced", "--force", "--grace-period=0");
    await waitUntil("the process has ended", () => {
      try {
        process.kill(pid, 0);
        return false;
      } catch {
        return true;
      }
    });
    expect(await system.pod("forced")).toBeUndefined();
  });

  test("deletes and recreates a pod under the same name: the new one starts anew", async () => {
    await apply("again", { command: "echo first; sleep 1000" });
    await system.podInPhase("again", "Running");
    const before = await system.pod("again");
    await kubectl("delete", "pod", "again");
    await apply("again", { command: "echo second" });
    const after = await system.podInPhase("again", "Succeeded");
    expect(after.metadata?.uid).not.toBe(before?.metadata?.uid);
    expect(await kubectl("logs", "again")).toBe("second\n");
    await kubectl("delete", "pod", "again");
  });

  test("sees readiness follow the probe, and the pod Ready only then", async () => {
    await apply("probed", {
      command: `touch $HOME/nothing 2>/dev/null; sleep 1000`,
      spec: { volumes: [{ name: "flag", configMap: { name: "probe-flag", optional: true } }] },
      container: {
        readinessProbe: { exec: { command: ["true"] }, periodSeconds: 1 },
        volumeMounts: [{ name: "flag", mountPath: "/flag" }],
      },
    });
    await kubectl("wait", "--for=condition=Ready", "pod/probed", "--timeout=60s");
    const pod = (await system.pod("probed")) as Pod;
    expect(pod.status?.conditions?.map(({ type, status }) => `${type}=${status}`)).toEqual(
      expect.arrayContaining([
        "PodScheduled=True",
        "Initialized=True",
        "ContainersReady=True",
        "Ready=True",
      ]),
    );
    await kubectl("delete", "pod", "probed");
  });

  test("runs a Job to completion and sees its pods", async () => {
    await system.kubectl.run(["apply", "-f", "-"], {
      input: JSON.stringify({
        apiVersion: "batch/v1",
        kind: "Job",
        metadata: { name: "sum" },
        spec: {
          completions: 3,
          parallelism: 2,
          template: {
            spec: {
              restartPolicy: "Never",
              tolerations: [{ operator: "Exists" }],
              containers: [{ name: "main", image: "none", command: ["sh", "-c", "echo done"] }],
            },
          },
        },
      }),
    });
    await kubectl("wait", "--for=condition=Complete", "job/sum", "--timeout=60s");
    expect(await kubectl("get", "job", "sum")).toMatch(/sum\s+\S*\s*3\/3/);
    expect(await kubectl("logs", "job/sum")).toBe("done\n");
    await kubectl("delete", "job", "sum");
    await waitUntil("its pods are gone", async () => {
      return (await kubectl("get", "pods", "-l", "job-name=sum", "-o", "name")) === "";
    });
  });

  test("asks what there is and what is allowed", async () => {
    expect(await kubectl("api-resources")).toMatch(/^pods\s+po\s+v1\s+true\s+Pod$/m);
    expect(await kubectl("auth", "can-i", "create", "pods")).toBe("yes\n");
    expect(await kubectl("explain", "pod.spec.containers")).toMatch(/FIELDS?:/);
    const typo = await system.kubectl.try(["apply", "-f", "-"], {
      input: podManifest("typo", { spec: { restartPolcy: "Never" } }),
    });
    expect(typo.code).not.toBe(0);
    expect(typo.stderr).toMatch(/restartPolcy/);
  });
});
