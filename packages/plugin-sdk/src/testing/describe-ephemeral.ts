import type { AttachRequest, RetrievedPodData } from "@interlink/protocol";
import type {
  Container,
  ContainerStatus,
  EphemeralContainer,
  PodSpec,
} from "kubernetes-types/core/v1.js";
import { describe, expect, test } from "vitest";
import type { Provider } from "../provider.ts";
import { eventually } from "./eventually.ts";
import { bytesOf } from "./fake-process.ts";
import { logRequest } from "./log-request.ts";

/** What the suite has of `describeProvider`. */
export interface EphemeralSuite {
  provider: () => Provider;
  shell: (script: string, rest?: Partial<Container>) => Container;
  podOf: (script: string, spec?: Partial<PodSpec>) => RetrievedPodData;
  create: (data: RetrievedPodData) => Promise<unknown>;
  remove: (data: RetrievedPodData) => Promise<void>;
  /** A new process of the plugin. */
  reopen: () => Promise<void>;
  patienceMs: number;
}

const signal = new AbortController().signal;

/** The promises of `Provider` about ephemeral containers. */
export function describeEphemeral(suite: EphemeralSuite): void {
  const { podOf, shell, create, remove, patienceMs } = suite;
  const statusOf = async (data: RetrievedPodData) =>
    (await suite.provider().status([data.pod], signal))[0];
  const debugOf = async (data: RetrievedPodData): Promise<ContainerStatus | undefined> =>
    (await statusOf(data))?.extension?.ephemeralContainers?.find(({ name }) => name === "debug");
  const until = (data: RetrievedPodData, state: "running" | "terminated") =>
    eventually(
      `debug is ${state}`,
      async () => {
        const debug = await debugOf(data);
        return debug?.state?.[state] === undefined ? undefined : debug;
      },
      patienceMs,
    );
  const withDebug = (
    data: RetrievedPodData,
    script: string,
    rest: Partial<EphemeralContainer> = {},
  ): RetrievedPodData => {
    const debug: EphemeralContainer = { ...shell(script, { name: "debug" }), ...rest };
    const { pod } = data;
    const spec = { ...(pod.spec ?? { containers: [] }), ephemeralContainers: [debug] };
    return { ...data, pod: { ...pod, spec } };
  };
  const update = async (data: RetrievedPodData): Promise<void> => {
    await suite.provider().update?.(data, signal);
  };
  const log = async (data: RetrievedPodData): Promise<string> => {
    const pieces: Uint8Array[] = [];
    const uid = data.pod.metadata?.uid ?? "";
    for await (const piece of suite.provider().logs(logRequest(uid, {}, "debug"), signal)) {
      pieces.push(piece);
    }
    return Buffer.concat(pieces).toString();
  };
  const untilLog = (data: RetrievedPodData, text: string) =>
    eventually(
      `the log of debug is ${JSON.stringify(text)}`,
      async () => (await log(data)) === text,
      patienceMs,
    );
  const untilMainRuns = (data: RetrievedPodData) =>
    eventually(
      "main runs",
      async () => (await statusOf(data))?.containers[0]?.state?.running !== undefined,
      patienceMs,
    );

  describe("an ephemeral container", () => {
    test("runs beside the others, once, and is told apart", async () => {
      const data = podOf("sleep 1000", { restartPolicy: "Always" });
      await create(data);
      await untilMainRuns(data);
      const changed = withDebug(data, "echo looking; exit 3");
      await update(changed);
      await update(changed);
      const ended = await until(data, "terminated");
      expect(ended.state?.terminated?.exitCode).toBe(3);
      expect(ended).toMatchObject({ ready: false, restartCount: 0 });
      await untilLog(data, "looking\n");
      await suite.reopen();
      expect((await debugOf(data))?.state?.terminated?.exitCode).toBe(3);
      expect((await statusOf(data))?.containers.map(({ name }) => name)).toEqual(["main"]);
      await untilMainRuns(data);
      await untilLog(data, "looking\n");
    });

    test("starts while init containers run, and is found again by a new process", async () => {
      const data = podOf("sleep 1000", {
        initContainers: [shell("sleep 1000", { name: "first" })],
      });
      await create(data);
      await update(withDebug(data, "echo looking; sleep 1000"));
      const before = await until(data, "running");
      await untilLog(data, "looking\n");
      await suite.reopen();
      expect((await until(data, "running")).containerID).toBe(before.containerID);
      expect((await statusOf(data))?.initContainers[0]?.state?.running).toBeDefined();
      expect(await log(data)).toBe("looking\n");
    });

    test("ends with the pod, which does not wait for it", async () => {
      const data = podOf("sleep 1", {
        terminationGracePeriodSeconds: 1,
      });
      await create(withDebug(data, "sleep 1000"));
      await until(data, "terminated");
      expect((await statusOf(data))?.containers[0]?.state?.terminated?.exitCode).toBe(0);
    });

    test("that has a terminal can be attached to", async () => {
      const data = podOf("sleep 1000");
      await create(data);
      await untilMainRuns(data);
      await update(withDebug(data, "read -r word; echo it was $word", { stdin: true, tty: true }));
      await until(data, "running");
      const { uid = "", name = "", namespace = "" } = data.pod.metadata ?? {};
      const request: AttachRequest = {
        Namespace: namespace,
        PodName: name,
        PodUID: uid,
        ContainerName: "debug",
        Stdin: true,
        Stdout: true,
        Stderr: false,
        TTY: true,
      };
      const streams = await suite.provider().attach?.(request, signal);
      streams?.stdin?.write("seen\n");
      expect((await bytesOf(streams?.stdout)).toString()).toContain("it was seen");
      await streams?.ended;
      expect((await until(data, "terminated")).state?.terminated?.exitCode).toBe(0);
    });

    test("goes with its pod", async () => {
      const data = podOf("sleep 1000");
      await create(withDebug(data, "sleep 1000", { targetContainerName: "main" }));
      await until(data, "running");
      await remove(data);
      await eventually(
        "the pod is gone",
        async () => {
          const all = await suite.provider().status("all", signal);
          return all.every(({ UID }) => UID !== data.pod.metadata?.uid);
        },
        patienceMs,
      );
    });
  });
}
