import type { ContainerStatus, Pod } from "kubernetes-types/core/v1.js";
import { describe, expect, it } from "vitest";
import { checkLogTarget } from "./log-target.ts";

type State = Pick<ContainerStatus, "state" | "lastState">;

function pod(state: State | undefined): Pod {
  const status = { name: "c", image: "i", imageID: "", ready: false, restartCount: 0 };
  return {
    metadata: { name: "p" },
    spec: { containers: [{ name: "c" }], initContainers: [{ name: "init" }] },
    status: { containerStatuses: state === undefined ? [] : [{ ...status, ...state }] },
  };
}

const running = { running: {} };
const terminated = { terminated: { exitCode: 1 } };
const waiting = (reason: string): State => ({ state: { waiting: { reason } } });

describe("checkLogTarget", () => {
  it.each<[string, State, boolean]>([
    ["a running container", { state: running }, false],
    ["a terminated container", { state: terminated }, false],
    [
      "a waiting container that ran before",
      { ...waiting("CrashLoopBackOff"), lastState: terminated },
      false,
    ],
    ["the previous run", { state: running, lastState: terminated }, true],
  ])("lets %s be read", (_name, state, previous) => {
    expect(() => checkLogTarget(pod(state), "p", "c", previous)).not.toThrow();
  });

  it.each<[Pod | undefined, string, boolean, number, string]>([
    [undefined, "c", false, 404, 'pod "p" does not exist\n'],
    [pod(undefined), "x", false, 404, 'container "x" not found in pod "p"\n'],
    [pod(undefined), "c", false, 400, 'container "c" in pod "p" is not available'],
    [
      pod(waiting("ContainerCreating")),
      "c",
      false,
      400,
      'container "c" in pod "p" is waiting to start: ContainerCreating',
    ],
    [
      pod(waiting("ErrImagePull")),
      "c",
      false,
      400,
      `container "c" in pod "p" is waiting to start: image can't be pulled`,
    ],
    [
      pod(waiting("ImagePullBackOff")),
      "c",
      false,
      400,
      'container "c" in pod "p" is waiting to start: trying and failing to pull image',
    ],
    [
      pod({ state: running }),
      "c",
      true,
      400,
      'previous terminated container "c" in pod "p" not found',
    ],
    [pod({ state: running }), "init", false, 400, 'container "init" in pod "p" is not available'],
  ])("says why there is no log (%#)", (target, container, previous, httpCode, message) => {
    expect(() => checkLogTarget(target, "p", container, previous)).toThrow(
      expect.objectContaining({ httpCode, message }) as Error,
    );
  });
});
