import type { Container, EphemeralContainer } from "kubernetes-types/core/v1.js";
import { describe, expect, test } from "vitest";
import type { Given } from "../testing/situation.ts";
import { created, decideGiven, exited, NOW, running, steps } from "../testing/situation.ts";

type Row = [title: string, given: Given, actions: string[]];

const main: Container = { name: "main", image: "app" };
const second: Container = { name: "second", image: "app" };
const setUp: Container = { name: "set-up", image: "app" };
const proxy: Container = { name: "proxy", image: "app", restartPolicy: "Always" };
const logs: Container = { name: "logs", image: "app", restartPolicy: "Always" };
const hooked: Container = { ...main, lifecycle: { postStart: { exec: { command: ["x"] } } } };
const polite: Container = { ...main, lifecycle: { preStop: { exec: { command: ["x"] } } } };
const gated: Container = { ...proxy, startupProbe: { tcpSocket: { port: 1 } } };
const debug: EphemeralContainer = { name: "debug", image: "tools" };
const looking: EphemeralContainer = { ...debug, targetContainerName: "main" };
const backingOff = { delayMs: 10_000, updatedAt: NOW - 5_000 };

const starting: Row[] = [
  ["a new pod gets its sandbox first", { sandbox: "unknown" }, ["ensureSandbox"]],
  ["then the image", {}, ["ensureImage main 0"]],
  ["then the container", { images: ["main"] }, ["createContainer main 0"]],
  ["then it is started", { record: { main: created() } }, ["startContainer main 0"]],
  ["a running one needs nothing", { record: { main: running() } }, []],
  [
    "a running pod that is adopted needs no sandbox",
    { sandbox: "unknown", record: { main: running() } },
    [],
  ],
  [
    "containers start one after another",
    { containers: [main, second], images: ["main", "second"] },
    ["createContainer main 0"],
  ],
  [
    "the second one after the first one runs",
    { containers: [main, second], record: { main: running() } },
    ["ensureImage second 0"],
  ],
  [
    "a postStart hook holds up the next one",
    { containers: [hooked, second], record: { main: running() } },
    ["runPostStart main 0"],
  ],
  [
    "until it is over",
    { containers: [hooked, second], record: { main: running(0, { postStartDone: true }) } },
    ["ensureImage second 0"],
  ],
  [
    "one that backs off from its image does not hold up the next one",
    {
      containers: [main, second],
      record: { main: { image: { code: "ErrImagePull", message: "no", backOff: backingOff } } },
    },
    ["ensureImage second 0"],
  ],
  [
    "an image is tried again after its back-off",
    {
      record: {
        main: {
          image: {
            code: "ErrImagePull",
            message: "no",
            backOff: { delayMs: 10_000, updatedAt: NOW - 10_000 },
          },
        },
      },
    },
    ["ensureImage main 0"],
  ],
  [
    "one that could not be made waits until its retry",
    { record: { main: { problem: { reason: "x", message: "y", retryAt: NOW + 1 } } } },
    [],
  ],
];

const restarting: Row[] = [
  ["Always restarts after success", { record: { main: exited(0) } }, ["ensureImage main 1"]],
  ["Always restarts after failure", { record: { main: exited(1) } }, ["ensureImage main 1"]],
  [
    "OnFailure restarts after failure",
    { policy: "OnFailure", record: { main: exited(1) } },
    ["ensureImage main 1"],
  ],
  [
    "OnFailure lets success be",
    { policy: "OnFailure", record: { main: exited(0) } },
    ["stopSandbox"],
  ],
  ["Never lets failure be", { policy: "Never", record: { main: exited(1) } }, ["stopSandbox"]],
  [
    "a crash back-off is waited for",
    { record: { main: { ...exited(1, 1), crash: backingOff } } },
    [],
  ],
  [
    "and over when it is over",
    {
      record: {
        main: {
          ...exited(1, 1, { finishedAt: NOW - 10_000 }),
          crash: backingOff,
        },
      },
    },
    ["ensureImage main 2"],
  ],
  [
    "one that ran for more than ten minutes starts over at once",
    {
      record: {
        main: { ...exited(1, 5), crash: { delayMs: 300_000, updatedAt: NOW - 602_000 } },
      },
    },
    ["ensureImage main 6"],
  ],
  [
    "one ended container does not keep the pod from waiting for the other",
    { policy: "Never", containers: [main, second], record: { main: exited(1), second: running() } },
    [],
  ],
  [
    "attempts before the previous one are removed",
    {
      record: { main: running(2) },
      observed: [0, 1, 2].map((attempt) => ({
        uid: "u1",
        containerName: "main",
        attempt,
        id: `id${attempt}`,
        state: attempt === 2 ? "running" : "exited",
      })),
    },
    ["removeContainer main 0"],
  ],
];

const stopped = { reason: "changed", deadline: NOW } as const;
const changing: Row[] = [
  [
    "a container whose image has changed is stopped",
    { record: { main: running(0, { image: "old" }) } },
    ["stop main 0 in 30s"],
  ],
  [
    "one of the image that is wanted is not",
    { record: { main: running(0, { image: "app" }) } },
    [],
  ],
  ["one that does not know its image is not", { record: { main: running() } }, []],
  [
    "so is a sidecar",
    {
      init: [proxy],
      record: { proxy: running(0, { image: "old" }), main: running(0, { image: "app" }) },
    },
    ["stop proxy 0 in 30s"],
  ],
  [
    "an init container is not: it is through soon",
    { init: [setUp], record: { "set-up": running(0, { image: "old" }) } },
    [],
  ],
  [
    "it is made anew at once, whatever its policy says and its crashes were",
    {
      policy: "Never",
      record: { main: { ...exited(143, 0, { image: "old", stop: stopped }), crash: backingOff } },
    },
    ["ensureImage main 1"],
  ],
  [
    "it is not when the pod is being deleted",
    {
      deletion: { requestedAt: NOW, deadline: NOW + 1000 },
      record: { main: exited(143, 0, { image: "old", stop: stopped }) },
    },
    ["removeSandbox"],
  ],
];

const eviction = { reason: "Evicted", message: "too much" };
const evicting: Row[] = [
  [
    "everything is stopped at once, a sidecar after the others",
    {
      init: [proxy],
      containers: [main, second],
      eviction,
      record: { proxy: running(), main: running(), second: exited(1) },
    },
    ["stop main 0 in 1s"],
  ],
  ["nothing starts any more", { eviction, record: { main: exited(1) } }, ["stopSandbox"]],
  [
    "what is in the making is waited for",
    { eviction, record: {}, inFlight: ["createContainer main 0"] },
    [],
  ],
  [
    "a delete goes before",
    {
      eviction,
      deletion: { requestedAt: NOW, deadline: NOW + 5000 },
      record: { main: running() },
    },
    ["stop main 0 in 5s"],
  ],
];

const done = { "set-up": exited(0), proxy: running(), main: exited(1) };
const losing: Row[] = [
  [
    "what still runs in the lost sandbox is stopped first",
    { init: [setUp, proxy], record: done, lost: { "set-up": 0, proxy: 0, main: 0 } },
    ["stop proxy 0 in 30s"],
  ],
  [
    "then the pod begins anew, with its init containers",
    {
      init: [setUp, proxy],
      record: { ...done, proxy: exited(137) },
      lost: { "set-up": 0, proxy: 0, main: 0 },
    },
    ["ensureImage set-up 1"],
  ],
  [
    "one after the other",
    {
      init: [setUp, proxy],
      record: { ...done, "set-up": exited(0, 1), proxy: exited(137) },
      lost: { "set-up": 0, proxy: 0, main: 0 },
    },
    ["ensureImage proxy 1"],
  ],
  [
    "and goes on as ever",
    {
      init: [setUp, proxy],
      record: { ...done, "set-up": exited(0, 1), proxy: running(1) },
      lost: { "set-up": 0, proxy: 0, main: 0 },
    },
    ["ensureImage main 1"],
  ],
  [
    "a container that ended well is not run again if failure only would restart it",
    {
      policy: "OnFailure",
      init: [setUp],
      containers: [main, second],
      record: { "set-up": exited(0, 1), main: exited(0), second: exited(1) },
      lost: { "set-up": 0, main: 0, second: 0 },
    },
    ["ensureImage second 1"],
  ],
];

const initializing: Row[] = [
  ["init comes first", { init: [setUp] }, ["ensureImage set-up 0"]],
  ["and alone", { init: [setUp], record: { "set-up": running() } }, []],
  [
    "regular ones come after its success",
    { init: [setUp], record: { "set-up": exited(0) } },
    ["ensureImage main 0"],
  ],
  [
    "its failure is tried again",
    { init: [setUp], record: { "set-up": exited(1) } },
    ["ensureImage set-up 1"],
  ],
  [
    "even with OnFailure",
    { init: [setUp], policy: "OnFailure", record: { "set-up": exited(1) } },
    ["ensureImage set-up 1"],
  ],
  [
    "with Never it ends the pod",
    { init: [setUp], policy: "Never", record: { "set-up": exited(1) } },
    ["stopSandbox"],
  ],
  [
    "an init container that is through does not run again",
    { init: [setUp], record: { "set-up": exited(0), main: exited(1) } },
    ["ensureImage main 1"],
  ],
  [
    "a sidecar starts in its turn and stays",
    { init: [proxy, setUp], record: { proxy: running() } },
    ["ensureImage set-up 0"],
  ],
  ["its startup probe holds up what follows", { init: [gated], record: { proxy: running() } }, []],
  [
    "until it has succeeded",
    { init: [gated], record: { proxy: running(0, { startupDone: true }) } },
    ["ensureImage main 0"],
  ],
  [
    "a sidecar is started again whatever its exit code and the policy",
    { init: [proxy], policy: "Never", record: { proxy: exited(0), main: running() } },
    ["ensureImage proxy 1"],
  ],
  [
    "also while a later init container runs",
    { init: [proxy, setUp], record: { proxy: exited(1), "set-up": running() } },
    ["ensureImage proxy 1"],
  ],
  [
    "a sidecar that backs off does not hold up regular ones that have begun",
    {
      init: [proxy],
      record: { proxy: { ...exited(1, 1), crash: backingOff }, main: exited(1) },
    },
    ["ensureImage main 1"],
  ],
];

const ending: Row[] = [
  [
    "sidecars stop when the regular ones are over, the last first",
    {
      init: [proxy, logs],
      policy: "Never",
      record: { proxy: running(), logs: running(), main: exited(0) },
    },
    ["stop logs 0 in 30s"],
  ],
  [
    "then the one before",
    {
      init: [proxy, logs],
      policy: "Never",
      record: { proxy: running(), logs: exited(137), main: exited(0) },
    },
    ["stop proxy 0 in 30s"],
  ],
  [
    "and the sandbox is let go after all",
    {
      init: [proxy],
      policy: "Never",
      record: { proxy: exited(143), main: exited(0) },
    },
    ["stopSandbox"],
  ],
  [
    "a failed liveness probe stops the container",
    {
      containers: [{ ...main, livenessProbe: {} }],
      record: { main: running() },
      probes: { main: { attempt: 0, startup: true, ready: true, failed: "liveness" } },
    },
    ["stop main 0 in 30s"],
  ],
  [
    "with the probe's own grace",
    {
      containers: [{ ...main, livenessProbe: { terminationGracePeriodSeconds: 3 } }],
      record: { main: running() },
      probes: { main: { attempt: 0, startup: true, ready: true, failed: "liveness" } },
    },
    ["stop main 0 in 3s"],
  ],
  [
    "an old attempt's probes do not",
    {
      record: { main: running(1) },
      probes: { main: { attempt: 0, startup: true, ready: true, failed: "liveness" } },
    },
    [],
  ],
];

const deadline = NOW + 30_000;
const deletion = { requestedAt: NOW, deadline };
const deleting: Row[] = [
  ["a pod that never ran is removed", { deletion }, ["removeSandbox"]],
  ["not while something is being made", { deletion, inFlight: ["createContainer main 0"] }, []],
  ["a running one is stopped", { deletion, record: { main: running() } }, ["stop main 0 in 30s"]],
  [
    "with what is left of the grace",
    { deletion, now: NOW + 29_500, record: { main: running() } },
    ["stop main 0 in 1s"],
  ],
  [
    "and killed when nothing is left",
    { deletion, now: deadline, record: { main: running() } },
    ["stop main 0 in 0s"],
  ],
  [
    "one that was made is kept from starting",
    { deletion, record: { main: created() } },
    ["stop main 0 in 0s"],
  ],
  [
    "one that has ended is not restarted",
    { deletion, record: { main: exited(1) } },
    ["removeSandbox"],
  ],
  [
    "all regular ones at once",
    {
      deletion,
      containers: [main, second],
      record: { main: running(), second: running() },
    },
    ["stop main 0 in 30s", "stop second 0 in 30s"],
  ],
  [
    "preStop comes before the signal",
    { deletion, containers: [polite], record: { main: running() } },
    ["runPreStop main 0"],
  ],
  [
    "after it the rest of the grace, at least two seconds",
    {
      deletion,
      containers: [polite],
      now: deadline,
      record: {
        main: running(0, { stop: { reason: "delete", deadline, preStopDone: true } }),
      },
    },
    ["stop main 0 in 2s"],
  ],
  [
    "a sidecar waits for the regular ones",
    { deletion, init: [proxy], record: { proxy: running(), main: running() } },
    ["stop main 0 in 30s"],
  ],
  [
    "but runs its preStop hook at once",
    {
      deletion,
      init: [{ ...polite, name: "proxy", restartPolicy: "Always" }],
      record: { proxy: running(), main: running() },
    },
    ["runPreStop proxy 0", "stop main 0 in 30s"],
  ],
  [
    "and no longer than the grace",
    { deletion, now: deadline, init: [proxy], record: { proxy: running(), main: running() } },
    ["stop proxy 0 in 2s", "stop main 0 in 0s"],
  ],
  [
    "an init container that runs is stopped",
    { deletion, init: [setUp], record: { "set-up": running() } },
    ["stop set-up 0 in 30s"],
  ],
  ["when the sandbox is removed the pod is finished", { deletion, sandbox: "removed" }, ["finish"]],
];

const debugging: Row[] = [
  [
    "an ephemeral container starts at once, while an init container runs",
    { init: [setUp], ephemeral: [debug], record: { "set-up": running() } },
    ["ensureImage debug 0"],
  ],
  [
    "it neither waits for the images of others nor holds them up",
    { ephemeral: [debug], images: ["debug"] },
    ["ensureImage main 0", "createContainer debug 0"],
  ],
  [
    "nor does it wait for a postStart hook",
    { containers: [hooked], ephemeral: [debug], record: { main: running(), debug: created() } },
    ["runPostStart main 0", "startContainer debug 0"],
  ],
  [
    "several start each for itself",
    {
      ephemeral: [debug, { ...debug, name: "more" }],
      record: { main: running(), debug: created() },
    },
    ["startContainer debug 0", "ensureImage more 0"],
  ],
  [
    "the sandbox of the pod is made once for all",
    { ephemeral: [debug], sandbox: "unknown" },
    ["ensureSandbox"],
  ],
  [
    "it is never restarted, whatever the pod's policy",
    { policy: "Always", ephemeral: [debug], record: { main: running(), debug: exited(1) } },
    [],
  ],
  [
    "not even where it never began, or asks for it",
    {
      ephemeral: [{ ...debug, restartPolicy: "Always" }],
      record: { main: running(), debug: exited(128, 0, { startFailed: true }) },
    },
    [],
  ],
  [
    "nor in a new sandbox",
    {
      init: [setUp],
      ephemeral: [debug],
      lost: { main: 0, "set-up": 0, debug: 0 },
      record: { "set-up": exited(0), main: exited(137), debug: exited(137) },
    },
    ["ensureImage set-up 1"],
  ],
  [
    "its end does not end the pod",
    { policy: "Never", ephemeral: [debug], record: { main: running(), debug: exited(0) } },
    [],
  ],
  [
    "it ends with the pod",
    { policy: "Never", ephemeral: [debug], record: { main: exited(0), debug: running() } },
    ["stop debug 0 in 30s"],
  ],
  [
    "and begins no more after it",
    { policy: "Never", ephemeral: [debug], record: { main: exited(0) } },
    ["stopSandbox"],
  ],
  [
    "it ends when the pod is deleted",
    { deletion, ephemeral: [debug], record: { main: running(), debug: running() } },
    ["stop main 0 in 30s", "stop debug 0 in 30s"],
  ],
  [
    "probes and hooks of it do not count",
    {
      ephemeral: [{ ...debug, lifecycle: hooked.lifecycle ?? {}, startupProbe: {} }],
      record: { main: running(), debug: running() },
    },
    [],
  ],
  [
    "one that looks at a container is made when that one runs",
    { ephemeral: [looking], images: ["debug"], record: { main: running() } },
    ["createContainer debug 0"],
  ],
  [
    "not before",
    { ephemeral: [looking], images: ["debug"], record: { main: created() } },
    ["startContainer main 0"],
  ],
  [
    "not between two of its attempts",
    {
      ephemeral: [looking],
      images: ["debug"],
      record: { main: { ...exited(1), crash: backingOff } },
    },
    [],
  ],
];

describe.each([
  ["ephemeral containers", debugging],
  ["starting", starting],
  ["restarting", restarting],
  ["changing an image", changing],
  ["evicting", evicting],
  ["losing its sandbox", losing],
  ["init containers and sidecars", initializing],
  ["ending", ending],
  ["deleting", deleting],
])("%s", (_title, rows) => {
  test.each(rows)("%s", (_row, given, actions) => {
    expect(steps(decideGiven(given))).toEqual(actions);
  });
});

describe("time", () => {
  test("a crash back-off is told once and wakes at its end", () => {
    const given: Given = { record: { main: { ...exited(1, 1), crash: backingOff } } };
    const first = decideGiven(given);
    expect(first.wakeAt).toBe(NOW + 9_000);
    expect(first.events).toEqual([
      {
        type: "Warning",
        reason: "BackOff",
        message: "Back-off restarting failed container main in pod web_prod(u1)",
        container: "main",
      },
    ]);
    const again = decideGiven({ ...given, record: { ...first.record.containers } });
    expect(again.events).toEqual([]);
  });

  test("a shorter delete shortens a stop that was decided before, a longer one does not", () => {
    const first = decideGiven({ deletion, record: { main: running() } });
    const shorter = decideGiven({
      deletion: { requestedAt: NOW, deadline: NOW + 5_000 },
      record: { ...first.record.containers },
    });
    expect(steps(shorter)).toEqual(["stop main 0 in 5s"]);
    const longer = decideGiven({ deletion, record: { ...shorter.record.containers } });
    expect(steps(longer)).toEqual(["stop main 0 in 5s"]);
  });

  test("Killing is told once per container, in the words of its cause", () => {
    const first = decideGiven({ deletion, record: { main: running() } });
    expect(first.events.map(({ message }) => message)).toEqual(["Stopping container main"]);
    const again = decideGiven({ deletion, record: { ...first.record.containers } });
    expect(again.events).toEqual([]);
    const sick = decideGiven({
      containers: [{ ...main, livenessProbe: {} }],
      record: { main: running() },
      probes: { main: { attempt: 0, startup: true, ready: true, failed: "liveness" } },
    });
    expect(sick.events.map(({ message }) => message)).toEqual([
      "Container main failed liveness probe, will be restarted",
    ]);
  });
});
