import type { Event } from "kubernetes-types/core/v1.js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type PodOptions, podManifest } from "../harness/manifest.ts";
import { PARTS, System } from "../harness/system.ts";
import { describeDocker } from "../systems/describe-system.ts";
import { waitUntil } from "../systems/wait-until.ts";

describeDocker("a person with kubectl and a Docker Engine behind the virtual node", (docker) => {
  let system: System;

  beforeAll(async () => {
    system = await System.start({ plugin: { name: "docker", dockerHost: docker.host } });
  });
  afterAll(async () => {
    await system[Symbol.asyncDispose]();
  });

  const kubectl = (...args: string[]) => system.kubectl.run(args);
  const apply = (name: string, options: PodOptions = {}) =>
    system.kubectl.run(["apply", "-f", "-"], { input: podManifest(name, options) });
  const waitingReason = async (name: string) =>
    (await system.pod(name))?.status?.containerStatuses?.[0]?.state?.waiting;

  test("runs a pod in the image that it names, with an address of its own", async () => {
    await apply("inside", { command: "hostname; ls /bin/busybox; sleep 0.2" });
    const pod = await system.podInPhase("inside", "Succeeded");
    expect(await kubectl("logs", "inside")).toBe("inside\n/bin/busybox\n");
    expect(pod.status?.podIP).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
    expect(pod.status?.podIP).not.toBe("127.0.0.1");
    expect(pod.status?.containerStatuses?.[0]?.containerID).toMatch(/^docker:\/\/[0-9a-f]{64}$/);
    await kubectl("delete", "pod", "inside");
  });

  test("sees ErrImagePull and ImagePullBackOff with the engine's words, and can delete such a pod", async () => {
    await apply("no-image", {
      image: `${docker.registry ?? "127.0.0.1:1"}/nothing/here:1`,
      container: { imagePullPolicy: "Always" },
    });
    const reasons = new Set<string>();
    const waiting = await waitUntil("the pod waits in back-off", async () => {
      const seen = await waitingReason("no-image");
      if (seen?.reason !== undefined) reasons.add(seen.reason);
      return seen?.reason === "ImagePullBackOff" ? seen : undefined;
    });
    expect(waiting.message).toContain("nothing/here:1");
    const { items } = await system.kubectl.json<{ items: Event[] }>(["get", "events"]);
    const told = items.filter(({ involvedObject }) => involvedObject.name === "no-image");
    expect(told.map(({ reason }) => reason)).toEqual(
      expect.arrayContaining(["Pulling", "Failed", "BackOff"]),
    );
    expect(told.map(({ message }) => message).join("\n")).toMatch(
      /Failed to pull image "\S+nothing\/here:1": .*(manifest unknown|not found|refused)/,
    );
    await kubectl("delete", "pod", "no-image", "--timeout=30s");
  });

  test("sees that a container was killed for its memory", async () => {
    await apply("greedy", {
      command: "head -c 200m /dev/zero | tail -c 190m",
      container: { resources: { limits: { memory: "32Mi" } } },
    });
    const pod = await system.podInPhase("greedy", "Failed");
    expect(pod.status?.containerStatuses?.[0]?.state?.terminated).toMatchObject({
      exitCode: 137,
      reason: "OOMKilled",
    });
    await kubectl("delete", "pod", "greedy");
  });

  test("lets containers of a pod reach each other on localhost, and share a volume", async () => {
    await apply("neighbours", {
      command: "until [ -e /shared/up ]; do sleep 0.05; done; wget -qO- http://127.0.0.1:8080/word",
      spec: {
        volumes: [{ name: "shared", emptyDir: {} }],
        initContainers: [
          {
            name: "server",
            image: "busybox:latest",
            imagePullPolicy: "IfNotPresent",
            restartPolicy: "Always",
            command: [
              "sh",
              "-c",
              "echo hello > /shared/word; httpd -p 8080 -h /shared; touch /shared/up; sleep 1000",
            ],
            volumeMounts: [{ name: "shared", mountPath: "/shared" }],
          },
        ],
      },
      container: { volumeMounts: [{ name: "shared", mountPath: "/shared" }] },
    });
    await system.podInPhase("neighbours", "Succeeded");
    expect(await kubectl("logs", "neighbours", "-c", "main")).toBe("hello\n");
    await kubectl("delete", "pod", "neighbours");
  });

  test("does not notice that node, API server and plugin are killed at once", async () => {
    await apply("survivor", { command: "echo once; sleep 6; echo end" });
    await system.podInPhase("survivor", "Running");
    const before = await system.pod("survivor");
    await Promise.all(PARTS.map((part) => system.kill9(part)));
    await Promise.all(PARTS.map((part) => system.launch(part)));
    const after = await system.podInPhase("survivor", "Succeeded");
    const [first, second] = [before, after].map((pod) => pod?.status?.containerStatuses?.[0]);
    expect(second?.containerID).toBe(first?.containerID);
    expect(second?.restartCount).toBe(0);
    expect(await kubectl("logs", "survivor")).toBe("once\nend\n");
    await kubectl("delete", "pod", "survivor");
  });

  test("gives a container the grace that it asks for, and leaves nothing on the engine", async () => {
    await apply("polite", {
      command: "trap 'echo bye; exit 3' TERM; echo up; while true; do sleep 0.1; done",
    });
    await system.podInPhase("polite", "Running");
    await waitUntil("it is up", async () => (await kubectl("logs", "polite")) === "up\n");
    const following = kubectl("logs", "-f", "polite");
    await kubectl("delete", "pod", "polite");
    expect(await following).toBe("up\nbye\n");
    expect(await system.pod("polite")).toBeUndefined();
  });
});
