import { CREATED_BY_ANNOTATION } from "@interlink/protocol";
import type { ContainerStatus } from "kubernetes-types/core/v1.js";
import { describe, expect, test } from "vitest";
import type { Given } from "../testing/situation.ts";
import { created, exited, NOW, running, situation } from "../testing/situation.ts";
import { podStatus } from "./pod-status.ts";

function statusOf(given: Given) {
  const { plan, record, memory, now } = situation(given);
  return podStatus(plan, record, {
    runtimeType: "fake",
    jobId: "fake-u1",
    probes: memory.probes,
    now,
    revision: 7,
  });
}

const backOff = { delayMs: 20_000, updatedAt: NOW - 5_000 };
const ended = {
  exitCode: 1,
  reason: "Error",
  startedAt: "2025-12-31T23:59:55Z",
  finishedAt: "2025-12-31T23:59:59Z",
  containerID: "fake://id1",
};

const changed = { reason: "changed", deadline: NOW } as const;

const rows: [title: string, given: Given, status: Partial<ContainerStatus>][] = [
  [
    "nothing known",
    {},
    {
      state: { waiting: { reason: "ContainerCreating" } },
      lastState: {},
      ready: false,
      started: false,
      restartCount: 0,
      image: "app",
      imageID: "",
    },
  ],
  [
    "waiting for init containers",
    { init: [{ name: "set-up", image: "app" }], record: { "set-up": running() } },
    { state: { waiting: { reason: "PodInitializing" } } },
  ],
  [
    "made, which is told only with its start",
    { record: { main: created() } },
    { state: { waiting: { reason: "ContainerCreating" } }, imageID: "" },
  ],
  [
    "running",
    { record: { main: running() } },
    {
      state: { running: { startedAt: "2025-12-31T23:59:55Z" } },
      ready: true,
      started: true,
      containerID: "fake://id0",
      imageID: "sha",
    },
  ],
  [
    "ended to get another image: its end is told as the one before",
    { record: { main: exited(143, 1, { stop: changed }) } },
    {
      state: { waiting: { reason: "ContainerCreating" } },
      lastState: { terminated: { ...ended, exitCode: 143 } },
    },
  ],
  [
    "ended to get another image, never to be restarted: its end would end the pod",
    { policy: "Never", record: { main: exited(143, 1, { stop: changed }) } },
    { state: { waiting: { reason: "ContainerCreating" } }, lastState: {}, restartCount: 1 },
  ],
  [
    "made of another image",
    {
      policy: "Never",
      record: { main: { ...created(2), previous: exited(143, 1, { stop: changed }).current! } },
    },
    { state: { waiting: { reason: "ContainerCreating" } }, lastState: {}, restartCount: 2 },
  ],
  [
    "running with another image: now its end can be told",
    {
      policy: "Never",
      record: { main: { ...running(2), previous: exited(143, 1, { stop: changed }).current! } },
    },
    { lastState: { terminated: { ...ended, exitCode: 143 } }, restartCount: 2 },
  ],
  [
    "ended to get another image while its pod is deleted",
    {
      policy: "Never",
      deletion: { requestedAt: NOW, deadline: NOW + 1000 },
      record: { main: exited(143, 1, { stop: changed }) },
    },
    { state: { terminated: { ...ended, exitCode: 143 } } },
  ],
  [
    "running, not ready yet",
    {
      containers: [{ name: "main", image: "app", readinessProbe: {} }],
      record: { main: running() },
      probes: { main: { attempt: 0, startup: true, ready: false } },
    },
    { ready: false, started: true },
  ],
  [
    "running, ready before the plugin was restarted",
    {
      containers: [{ name: "main", image: "app", readinessProbe: {} }],
      record: { main: running(0, { ready: true }) },
    },
    { ready: true },
  ],
  [
    "running, startup probe pending",
    {
      containers: [{ name: "main", image: "app", startupProbe: {} }],
      record: { main: running() },
    },
    { ready: false, started: false },
  ],
  [
    "running, postStart hook not over",
    {
      containers: [{ name: "main", image: "app", lifecycle: { postStart: {} } }],
      record: { main: running() },
    },
    { ready: false, started: false },
  ],
  [
    "ended for good",
    { policy: "Never", record: { main: exited(1, 1) } },
    { state: { terminated: ended }, lastState: {}, restartCount: 1, ready: false, started: false },
  ],
  [
    "crashed, backing off",
    { record: { main: { ...exited(1, 1), crash: backOff } } },
    {
      state: {
        waiting: {
          reason: "CrashLoopBackOff",
          message: "back-off 20s restarting failed container=main pod=web_prod(u1)",
        },
      },
      lastState: { terminated: ended },
      restartCount: 1,
    },
  ],
  [
    "crashed, backing off, being deleted: how it ended counts",
    {
      deletion: { requestedAt: NOW, deadline: NOW },
      record: { main: { ...exited(1, 1), crash: backOff } },
    },
    { state: { terminated: ended } },
  ],
  [
    "running again: the attempt before is the last state",
    { record: { main: { ...running(2), previous: exited(1, 1).current! } } },
    { restartCount: 2, lastState: { terminated: ended } },
  ],
  [
    "image cannot be pulled",
    {
      record: {
        main: {
          image: {
            code: "ErrImagePull",
            message: "no such image",
            backOff: { delayMs: 10_000, updatedAt: NOW },
          },
        },
      },
    },
    { state: { waiting: { reason: "ErrImagePull", message: "no such image" } } },
  ],
  [
    "image cannot be pulled, backing off",
    {
      record: { main: { image: { code: "ErrImagePull", message: "no such image", backOff } } },
    },
    {
      state: {
        waiting: {
          reason: "ImagePullBackOff",
          message: 'Back-off pulling image "app": ErrImagePull: no such image',
        },
      },
    },
  ],
  [
    "cannot be made",
    {
      record: {
        main: {
          problem: { reason: "CreateContainerConfigError", message: "x", retryAt: NOW + 1 },
        },
      },
    },
    { state: { waiting: { reason: "CreateContainerConfigError", message: "x" } } },
  ],
  [
    "could not be started",
    {
      record: {
        main: { ...exited(128, 1, { startFailed: true, message: "no file" }), crash: backOff },
      },
    },
    { state: { waiting: { reason: "RunContainerError", message: "no file" } } },
  ],
];

describe("a container's status", () => {
  test.each(rows)("%s", (_title, given, expected) => {
    const [container] = statusOf(given).containers;
    expect(container).toMatchObject(expected);
    // An id belongs to what runs or has run.
    const hasBegun = container?.state?.waiting === undefined || container.restartCount > 0;
    if (!hasBegun) expect(container).not.toHaveProperty("containerID");
  });

  test("has no seconds' fractions in its times", () => {
    const text = JSON.stringify(statusOf({ record: { main: running(0, { startedAt: NOW + 7 }) } }));
    expect(text).toContain("2026-01-01T00:00:00Z");
  });

  test("of an init container is ready when it has succeeded", () => {
    const init = [{ name: "set-up", image: "app" }];
    const done = statusOf({ init, record: { "set-up": exited(0) } });
    expect(done.initContainers[0]).toMatchObject({ ready: true, started: false });
    const failed = statusOf({ init, record: { "set-up": exited(1) } });
    expect(failed.initContainers[0]?.ready).toBe(false);
  });
});

test("a pod's status names every container, and the whole of what the plugin knows", () => {
  const status = statusOf({ deletion: { requestedAt: NOW, deadline: NOW } });
  expect(status).toMatchObject({
    name: "web",
    UID: "u1",
    namespace: "prod",
    JID: "fake-u1",
    extension: { revision: 7, deleting: true },
  });
  expect(status.containers.map(({ name }) => name)).toEqual(["main"]);
});

test("gives back who created the pod, so that a node removes only its own orphans", () => {
  const { plan, record, memory, now } = situation({});
  const annotations = { [CREATED_BY_ANNOTATION]: "cluster/vn" };
  const pod = { ...plan.pod, metadata: { ...plan.pod.metadata, annotations } };
  const context = { runtimeType: "fake", jobId: "j", probes: memory.probes, now, revision: 1 };
  const status = podStatus({ ...plan, pod }, record, context);
  expect(status.extension?.createdBy).toBe("cluster/vn");
});
