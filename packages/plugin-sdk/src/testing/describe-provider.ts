import { randomUUID } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { LogOptions, RemotePodStatus, RetrievedPodData } from "@interlink/protocol";
import type { Container, ContainerStatus, PodSpec } from "kubernetes-types/core/v1.js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Provider } from "../provider.ts";
import { defined } from "./defined.ts";
import { describeEphemeral } from "./describe-ephemeral.ts";
import { describeStreams, type StreamCapabilities } from "./describe-streams.ts";
import { eventually } from "./eventually.ts";
import { logRequest } from "./log-request.ts";
import { podData } from "./pod-data.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

/** What a provider can do beyond running one container to its end; the suite leaves out what it cannot. */
export interface ProviderCapabilities {
  /** What every test container runs in; must have `/bin/sh`. */
  image: string;
  /** It tells changes to subscribers (feature `status-stream`). */
  statusStream?: boolean;
  /** It tells its capacity. */
  ping?: boolean;
  /** `restartPolicy` is honoured. */
  restarts?: boolean;
  /** Several containers, and init containers that run one after another before them. */
  severalContainers?: boolean;
  /** Ephemeral containers come by updates (feature `ephemeral-containers`). */
  ephemeralContainers?: boolean;
  /** ConfigMaps, Secrets and emptyDirs are at their `mountPath`. */
  volumes?: boolean;
  /** Interactive streams and statistics. */
  streams?: StreamCapabilities;
  /** Where volumes are mounted when it cannot be anywhere, e.g. a directory of the test. Default `/mnt`. */
  mountRoot?: string;
  /** How long a step may take, in milliseconds. Default 15,000. */
  patienceMs?: number;
}

/**
 * The promises of `Provider`, as tests against a real one. `makeProvider` gives a provider on `root` that is not started
 * yet; it is called again with the same root, after `close()`, to see what is taken over.
 */
export function describeProvider(
  name: string,
  makeProvider: (root: string) => Provider | Promise<Provider>,
  capabilities: ProviderCapabilities,
): void {
  const { image, patienceMs = 15_000, mountRoot = "/mnt" } = capabilities;
  const signal = new AbortController().signal;
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  let provider: Provider;
  let created: RetrievedPodData[];

  const open = async (): Promise<void> => {
    provider = await makeProvider(`${directory.path}/root`);
    await provider.start?.(signal);
  };
  const reopen = async (): Promise<void> => {
    await provider.close?.();
    await open();
  };
  const shell = (script: string, rest: Partial<Container> = {}): Container => ({
    name: "main",
    image,
    imagePullPolicy: "IfNotPresent",
    command: ["/bin/sh", "-c", script],
    ...rest,
  });
  const podOf = (script: string, spec: Partial<PodSpec> = {}): RetrievedPodData =>
    podData(randomUUID(), { restartPolicy: "Never", containers: [shell(script)], ...spec });
  const uidOf = (data: RetrievedPodData): string => data.pod.metadata?.uid ?? "";
  const create = (data: RetrievedPodData) => {
    created.push(data);
    return provider.create(data, signal);
  };
  const remove = (data: RetrievedPodData, graceSeconds = 0): Promise<void> => {
    const { metadata } = data.pod;
    const pod = {
      ...data.pod,
      metadata: { ...metadata, deletionGracePeriodSeconds: graceSeconds },
    };
    return provider.delete(pod, signal);
  };
  const all = (): Promise<RemotePodStatus[]> => provider.status("all", signal);
  const statusOf = async (data: RetrievedPodData): Promise<RemotePodStatus | undefined> =>
    (await provider.status([data.pod], signal))[0];
  const containerOf = async (data: RetrievedPodData, container = "main") => {
    const status = await statusOf(data);
    return status?.containers.find((one) => one.name === container);
  };
  const until = (
    data: RetrievedPodData,
    state: "running" | "terminated",
  ): Promise<ContainerStatus> =>
    eventually(
      `main is ${state}`,
      async () => {
        const container = await containerOf(data);
        return container?.state?.[state] === undefined ? undefined : container;
      },
      patienceMs,
    );
  const exitCode = async (data: RetrievedPodData): Promise<number | undefined> =>
    (await until(data, "terminated")).state?.terminated?.exitCode;
  const untilGone = (data: RetrievedPodData): Promise<boolean> =>
    eventually(
      "the pod is gone",
      async () => (await all()).every(({ UID }) => UID !== uidOf(data)),
      patienceMs,
    );
  const log = async (
    data: RetrievedPodData,
    options: Partial<LogOptions> = {},
    container = "main",
  ): Promise<string> => {
    const pieces: Uint8Array[] = [];
    const reading = provider.logs(logRequest(uidOf(data), options, container), signal);
    for await (const piece of reading) pieces.push(piece);
    return Buffer.concat(pieces).toString();
  };
  /** Logs may trail the state a little. */
  const untilLog = (data: RetrievedPodData, text: string): Promise<boolean> =>
    eventually(
      `the log is ${JSON.stringify(text)}`,
      async () => (await log(data)) === text,
      patienceMs,
    );

  describe(`${name} keeps the promises of a provider`, { timeout: 4 * patienceMs }, () => {
    beforeEach(async () => {
      directory = await temporaryDirectory();
      created = [];
      await open();
    });

    afterEach(async () => {
      for (const data of created) await remove(data);
      for (const data of created) await untilGone(data);
      await provider.close?.();
      await directory[Symbol.asyncDispose]();
    });

    describe("create", () => {
      test("runs the pod and tells its exit code", async () => {
        const good = podOf("exit 0");
        const bad = podOf("exit 42");
        expect(await create(good)).toMatchObject({ PodUID: uidOf(good) });
        await create(bad);
        expect(await exitCode(good)).toBe(0);
        expect(await exitCode(bad)).toBe(42);
      });

      test("repeated, also at the same time, answers with the job that exists and runs it once", async () => {
        const data = podOf("echo started");
        const answers = await Promise.all([create(data), create(data), create(data)]);
        await until(data, "terminated");
        answers.push(await create(data));
        await reopen();
        answers.push(await create(data));
        expect(new Set(answers.map(({ PodJID }) => PodJID)).size).toBe(1);
        const [{ PodJID }] = answers;
        // What log lines and spans are made of, also after a restart.
        const { uid = "", name, namespace } = data.pod.metadata ?? {};
        const about = { pod: `${namespace}/${name}`, job: PodJID };
        if (provider.aboutPod) expect(provider.aboutPod(uid)).toMatchObject(about);
        if (provider.created) {
          expect(provider.created(uid)?.pod.metadata?.uid).toBe(uid);
          expect(provider.created(uid)?.at).toBeGreaterThan(0);
        }
        await untilLog(data, "started\n");
      });

      test("after delete is refused, also after a restart", async () => {
        const data = podOf("exit 0");
        await create(data);
        await remove(data);
        await expect(create(data)).rejects.toMatchObject({ code: "conflict" });
        await untilGone(data);
        await expect(create(data)).rejects.toMatchObject({ code: "conflict" });
        await reopen();
        await expect(create(data)).rejects.toMatchObject({ code: "conflict" });
      });

      test("that comes after its delete is refused", async () => {
        const data = podOf("exit 0");
        await remove(data);
        await expect(create(data)).rejects.toMatchObject({ code: "conflict" });
      });

      test("passes command, arguments and environment byte for byte", async () => {
        const strange = `'"\`$(HOME) $HOME \\ \t;|&<>*? ünï $$\n-n`;
        const data = podOf("");
        const env = [
          { name: "STRANGE", value: strange },
          { name: "EMPTY", value: "" },
          { name: "NO_VALUE" },
        ];
        const script = `printf '%s|%s|%s%s|%s' "$STRANGE" "$1" "$EMPTY" "$NO_VALUE" "\${EMPTY-unset}"`;
        defined(data.pod.spec).containers = [
          shell(script, { args: ["sh", "a 'b' $(EMPTY)$$(EMPTY)"], env }),
        ];
        await create(data);
        await until(data, "terminated");
        await untilLog(data, `${strange}|a 'b' $(EMPTY)||`);
      });
    });

    describe("status", () => {
      test("never forgets a pod or a container, from create to delete", async () => {
        const data = podOf("sleep 0.3");
        await create(data);
        for (let ended = false; !ended; ) {
          const [status] = await provider.status([data.pod], signal);
          expect((await all()).map(({ UID }) => UID)).toContain(uidOf(data));
          expect(status?.containers.map((one) => one.name)).toEqual(["main"]);
          const state = status?.containers[0]?.state ?? {};
          expect(Object.keys(state)).toHaveLength(1);
          ended = state.terminated !== undefined;
          await nextTurn(); // A provider that answers from memory must still get to work.
        }
      });

      test("of several pods comes in one answer, without those that are unknown", async () => {
        const [one, two, unknown] = [podOf("exit 0"), podOf("exit 0"), podOf("exit 0")];
        await create(one);
        await create(two);
        const statuses = await provider.status([one.pod, unknown.pod, two.pod], signal);
        expect(new Set(statuses.map(({ UID }) => UID))).toEqual(new Set([uidOf(one), uidOf(two)]));
      });

      if (capabilities.statusStream === true) {
        test("is told to subscribers as it changes, until the pod is gone", async () => {
          const data = podOf("exit 3");
          const seen: string[] = [];
          const unsubscribe = provider.subscribe?.({
            status: (status) => {
              if (status.UID !== uidOf(data)) return;
              const code = status.containers[0]?.state?.terminated?.exitCode;
              if (code !== undefined) seen.push(`ended ${code}`);
            },
            gone: ({ UID }) => {
              if (UID === uidOf(data)) seen.push("gone");
            },
            event: () => undefined,
          });
          await create(data);
          await eventually("the end is told", () => seen.includes("ended 3"), patienceMs);
          await remove(data);
          await eventually("it is told to be gone", () => seen.includes("gone"), patienceMs);
          unsubscribe?.();
        });
      }
    });

    describe("logs", () => {
      const lines = podOf.bind(undefined, "printf 'one\\ntwo\\nthree\\n'");

      test("hold what the container wrote, filtered as kubectl asks, after its end too", async () => {
        const data = lines();
        await create(data);
        await until(data, "terminated");
        await untilLog(data, "one\ntwo\nthree\n");
        expect(await log(data, { Tail: 1 })).toBe("three\n");
        expect(await log(data, { Bytes: 5 })).toBe("one\nt");
        const stamped = await log(data, { Timestamps: true, Tail: 1 });
        expect(stamped).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}(Z|[+-]\d\d:\d\d) three\n$/);
        expect(await log(data, { SinceTime: "2999-01-01T00:00:00Z" })).toBe("");
      });

      test("followed come as they are written and end with the container", async () => {
        const data = podOf("echo early; sleep 0.5; echo late");
        await create(data);
        await until(data, "running").catch(() => undefined);
        expect(await log(data, { Follow: true })).toBe("early\nlate\n");
      });

      test("of a pod that is not here say so", async () => {
        await expect(log(lines())).rejects.toMatchObject({ code: "not-found" });
      });
    });

    describe("delete", () => {
      test("of an unknown pod, and a second one, resolve", async () => {
        await remove(podOf("exit 0"));
        const data = podOf("sleep 60");
        await create(data);
        await remove(data);
        await remove(data);
        await untilGone(data);
        await remove(data);
      });

      test("asks first: the container may end by itself within its grace", async () => {
        const script = "trap 'exit 7' TERM; echo ready; while :; do sleep 0.05; done";
        const data = podOf(script);
        await create(data);
        await untilLog(data, "ready\n");
        let last: number | undefined;
        const unsubscribe = provider.subscribe?.({
          status: ({ UID, containers }) => {
            if (UID === uidOf(data)) last = containers[0]?.state?.terminated?.exitCode ?? last;
          },
          gone: () => undefined,
          event: () => undefined,
        });
        await remove(data, 30);
        await untilGone(data);
        last ??= (await containerOf(data))?.state?.terminated?.exitCode;
        unsubscribe?.();
        if (last !== undefined) expect(last).toBe(7);
      });

      test("ends what does not listen when its grace is over", async () => {
        const data = podOf("trap '' TERM; echo ready; while :; do sleep 0.05; done");
        await create(data);
        await untilLog(data, "ready\n");
        await remove(data, 1);
        await untilGone(data);
      });

      test("leaves word how the pod ended, for who was away, also after a restart", async () => {
        const data = podOf("exit 6");
        await create(data);
        await until(data, "terminated");
        await remove(data);
        await untilGone(data);
        await reopen();
        const last = await statusOf(data);
        expect(last?.containers[0]?.state?.terminated?.exitCode).toBe(6);
        expect(last?.extension?.gone).toBe(true);
      });

      test("is finished by the next process if this one ends right after the answer", async () => {
        const data = podOf("trap '' TERM; echo ready; while :; do sleep 0.05; done");
        await create(data);
        await untilLog(data, "ready\n");
        await remove(data, 1);
        await reopen();
        await untilGone(data);
        await expect(create(data)).rejects.toMatchObject({ code: "conflict" });
      });
    });

    describe("a new process", () => {
      test("takes over a pod that runs: same job, started once, same log", async () => {
        const data = podOf("echo started; sleep 60");
        const { PodJID } = await create(data);
        const before = await until(data, "running");
        await untilLog(data, "started\n");
        await reopen();
        const after = await until(data, "running");
        expect(after.containerID).toBe(before.containerID);
        expect(after.state?.running?.startedAt).toBe(before.state?.running?.startedAt);
        expect((await create(data)).PodJID).toBe(PodJID);
        expect(await log(data)).toBe("started\n");
      });

      test("learns the exit code of a pod that ended while nobody looked", async () => {
        const data = podOf("sleep 0.5; exit 5");
        await create(data);
        await until(data, "running");
        await reopen();
        expect(await exitCode(data)).toBe(5);
      });
    });

    if (capabilities.severalContainers === true) {
      describe("several containers", () => {
        test("init containers run one after another, before the others", async () => {
          const data = podOf("echo main");
          const spec = defined(data.pod.spec);
          spec.initContainers = [
            shell("sleep 0.2; echo first", { name: "first" }),
            shell("echo second", { name: "second" }),
          ];
          spec.containers = [shell("echo main"), shell("echo other", { name: "other" })];
          await create(withContainers(data));
          await until(data, "terminated");
          const status = defined(await statusOf(data));
          const ended = (one: ContainerStatus | undefined): string =>
            one?.state?.terminated?.finishedAt ?? "";
          expect(status.initContainers.map((one) => one.name)).toEqual(["first", "second"]);
          expect(status.initContainers.every((one) => one.state?.terminated?.exitCode === 0)).toBe(
            true,
          );
          expect(Date.parse(ended(status.initContainers[0]))).toBeLessThanOrEqual(
            Date.parse(ended(status.containers[0])),
          );
          expect(await log(data, {}, "first")).toBe("first\n");
        });

        test("a failing init container keeps the others from starting", async () => {
          const data = podOf("echo never");
          defined(data.pod.spec).initContainers = [shell("exit 9", { name: "first" })];
          await create(withContainers(data));
          await eventually(
            "the init container has failed",
            async () =>
              (await statusOf(data))?.initContainers[0]?.state?.terminated?.exitCode === 9,
            patienceMs,
          );
          expect((await containerOf(data))?.state?.running).toBeUndefined();
        });
      });
    }

    if (capabilities.ephemeralContainers === true) {
      describeEphemeral({
        provider: () => provider,
        shell,
        podOf,
        create,
        remove,
        reopen,
        patienceMs,
      });
    }

    if (capabilities.restarts === true) {
      describe("restarts", () => {
        test("a container that fails is started again and counted, and its last end is remembered", async () => {
          const data = podOf("exit 4", { restartPolicy: "OnFailure" });
          await create(data);
          const restarted = await eventually(
            "a restart",
            async () => {
              const container = await containerOf(data);
              return (container?.restartCount ?? 0) > 0 ? container : undefined;
            },
            patienceMs + 15_000,
          );
          expect(restarted.lastState?.terminated?.exitCode).toBe(4);
        });
      });
    }

    if (capabilities.volumes === true) {
      describe("volumes", () => {
        test("ConfigMap, Secret and a shared emptyDir are where they are mounted", async () => {
          const at = (volume: string): string => `${mountRoot}/${volume}`;
          const volumeMounts = ["conf", "hidden", "work"].map((volume) => ({
            name: volume,
            mountPath: at(volume),
          }));
          const data = podOf("");
          const spec = defined(data.pod.spec);
          spec.volumes = [
            { name: "conf", configMap: { name: "cm" } },
            { name: "hidden", secret: { secretName: "s" } },
            { name: "work", emptyDir: {} },
          ];
          const script = `cat ${at("conf")}/key ${at("hidden")}/key; echo kept > ${at("work")}/file; cat ${at("work")}/file`;
          spec.containers = [shell(script, { volumeMounts })];
          const [container] = data.container;
          Object.assign(defined(container), {
            configMaps: [{ metadata: { name: "cm" }, data: { key: "plain " } }],
            secrets: [
              { metadata: { name: "s" }, data: { key: Buffer.from("secret ").toString("base64") } },
            ],
          });
          await create(data);
          await until(data, "terminated");
          await untilLog(data, "plain secret kept\n");
        });
      });
    }

    if (capabilities.streams !== undefined) {
      const suite = {
        provider: () => provider,
        shell,
        podOf,
        create,
        remove,
        until,
        patienceMs,
        mountRoot: capabilities.volumes === true ? mountRoot : undefined,
      };
      describeStreams(suite, capabilities.streams);
    }

    if (capabilities.ping === true) {
      test("ping tells the resource's capacity", async () => {
        const answer = await provider.ping?.(signal);
        expect(answer?.resources?.cpu).toMatch(/^\d/);
      });
    }
  });
}

/** `container` of the message, after the pod's containers were changed. */
function withContainers(data: RetrievedPodData): RetrievedPodData {
  const { initContainers = [], containers = [] } = data.pod.spec ?? {};
  const first = defined(data.container[0]);
  data.container.splice(
    0,
    data.container.length,
    ...[...initContainers, ...containers].map(({ name }) => ({ ...first, name })),
  );
  return data;
}
