import type { Event } from "kubernetes-types/core/v1.js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { podManifest } from "./harness/manifest.ts";
import { StreamClient } from "./harness/stream-client.ts";
import { System, type SystemOptions } from "./harness/system.ts";
import { describeDocker, describeKubectl } from "./systems/describe-system.ts";
import { BUSYBOX } from "./systems/images.ts";
import { waitUntil } from "./systems/wait-until.ts";

const STUCK = {
  image: BUSYBOX,
  imagePullPolicy: "IfNotPresent",
  command: ["sh", "-c", "exec sleep 1000"],
};

/** On the embedded cluster: Kubernetes 1.20 has ephemeral containers of another form, behind a gate. */
function describeDebug(
  kubectlPath: string,
  plugin: SystemOptions["plugin"],
  sharesProcesses: boolean,
): void {
  let system: System;
  let client: StreamClient;

  beforeAll(async () => {
    system = await System.start({ plugin });
    const program = { title: "kubectl", path: kubectlPath };
    client = new StreamClient(program, system.cluster.kubeconfigFile);
    await apply("web", "echo ready; exec sleep 1234");
    await system.podInPhase("web", "Running");
  });
  afterAll(async () => {
    await system?.[Symbol.asyncDispose]();
  });

  const apply = async (
    name: string,
    script: string,
    spec: Record<string, unknown> = {},
  ): Promise<void> => {
    const container = { image: BUSYBOX, command: ["sh", "-c", script] };
    const input = podManifest(name, { container, spec });
    await system.kubectl.run(["apply", "-f", "-"], { input });
  };
  const debugArgs = (pod: string, name: string, script: string, ...flags: string[]) =>
    ["debug", pod, `--image=${BUSYBOX}`, `--container=${name}`].concat(
      ["--image-pull-policy=IfNotPresent", ...flags],
      ["--", "sh", "-c", script],
    );
  const statusOf = async (pod: string, name: string) =>
    (await system.pod(pod))?.status?.ephemeralContainerStatuses?.find((one) => one.name === name);
  const ended = (pod: string, name: string) =>
    waitUntil(`${name} has ended`, async () => (await statusOf(pod, name))?.state?.terminated);

  test("with -i: what is typed reaches it, what it says comes back", async () => {
    await using debug = client.start(
      debugArgs("web", "typed", "read -r word; echo it was $word", "-i"),
    );
    debug.stdin.write("seen\n");
    await debug.output(/it was seen/);
    expect((await debug.ended).code).toBe(0);
    expect(await ended("web", "typed")).toMatchObject({ exitCode: 0, reason: "Completed" });
  });

  test("with -it: it has a terminal of the size of ours", async () => {
    const script = "until [ \"$(stty size)\" = '31 77' ]; do sleep 0.1; done; echo it fits";
    const args = debugArgs("web", "terminal", script, "-it");
    const { stdout } = await client.inTerminal("stty rows 31 cols 77", args);
    expect(stdout.toString()).toContain("it fits");
  });

  test("is there for logs, exec and events, ends for good, and its pod stays Ready", async () => {
    await system.kubectl.run(debugArgs("web", "calm", "echo looking; exec sleep 1000"));
    await waitUntil("it runs", async () => (await statusOf("web", "calm"))?.state?.running);
    expect(await system.kubectl.run(["logs", "web", "-c", "calm"])).toBe("looking\n");
    const said = await system.kubectl.run(["exec", "web", "-c", "calm", "--", "echo", "inside"]);
    expect(said).toBe("inside\n");
    const events = await waitUntil("its events are told", async () => {
      const { items } = await system.kubectl.json<{ items: Event[] }>(["get", "events"]);
      const own = items.filter(
        ({ involvedObject }) => involvedObject.fieldPath === "spec.ephemeralContainers{calm}",
      );
      return own.some(({ reason }) => reason === "Started") ? own : undefined;
    });
    expect(events.map(({ reason }) => reason)).toContain("Created");

    await system.kubectl.run(debugArgs("web", "failing", "exit 9"));
    expect(await ended("web", "failing")).toMatchObject({ exitCode: 9, reason: "Error" });
    const pod = await system.pod("web");
    expect(await statusOf("web", "failing")).toMatchObject({ ready: false, restartCount: 0 });
    expect(pod?.status?.phase).toBe("Running");
    expect(pod?.status?.conditions?.find(({ type }) => type === "Ready")?.status).toBe("True");
  });

  test("starts while an init container is at work", async () => {
    const init = { ...STUCK, name: "stuck" };
    await apply("waiting", "sleep 1", { initContainers: [init] });
    await waitUntil(
      "the init container runs",
      async () => (await system.pod("waiting"))?.status?.initContainerStatuses?.[0]?.state?.running,
    );
    await system.kubectl.run(debugArgs("waiting", "early", "echo hello"));
    expect(await ended("waiting", "early")).toMatchObject({ exitCode: 0 });
    expect((await system.pod("waiting"))?.status?.phase).toBe("Pending");
    await system.kubectl.run(["delete", "pod", "waiting", "--grace-period=1"]);
  });

  test("goes on when the plugin and the node are started anew", async () => {
    await system.kubectl.run(debugArgs("web", "lasting", "echo once; exec sleep 1000"));
    const running = () => statusOf("web", "lasting");
    const before = await waitUntil("it runs", async () =>
      (await running())?.state?.running ? await running() : undefined,
    );
    await system.kill9("plugin");
    await system.kill9("node");
    await Promise.all([system.launch("plugin"), system.launch("node")]);
    await system.nodeReady();
    await system.kubectl.run(debugArgs("web", "after", "echo hello"));
    expect(await ended("web", "after")).toMatchObject({ exitCode: 0 });
    expect(await running()).toEqual(before);
    expect(await system.kubectl.run(["logs", "web", "-c", "lasting"])).toBe("once\n");
  });

  if (sharesProcesses) {
    test("with --target: it sees the processes of that container", async () => {
      const { stdout } = await client.run(
        debugArgs("web", "looking", "tr '\\0' ' ' < /proc/1/cmdline", "-i", "--target=main"),
      );
      expect(stdout.toString()).toContain("sleep 1234");
    });
  }

  test("with --target: it waits for that container to run", async () => {
    const init = { ...STUCK, name: "set-up" };
    await apply("unready", "exec sleep 1000", { initContainers: [init] });
    await waitUntil("it is known", async () => (await system.pod("unready"))?.status?.startTime);
    await system.kubectl.run(debugArgs("unready", "looking", "true", "--target=main"));
    const waiting = await waitUntil("it says what it waits for", async () => {
      const state = (await statusOf("unready", "looking"))?.state?.waiting;
      return state?.reason === "CreateContainerConfigError" ? state : undefined;
    });
    expect(waiting.message).toBe("unable to find target container main");
    await system.kubectl.run(["delete", "pod", "unready", "--grace-period=1"]);
  });
}

describeKubectl("kubectl debug", ({ path }) => {
  describe("with the process plugin", () => {
    describeDebug(path, { name: "process" }, false);
  });

  describeDocker("with the Docker plugin", (docker) => {
    describeDebug(path, { name: "docker", dockerHost: docker.host }, true);
  });
});
