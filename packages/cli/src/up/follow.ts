import type { Pod } from "kubernetes-types/core/v1.js";
import { podLine } from "./pod-line.ts";
import type { Screen } from "./screen.ts";

/** One attempt of one container whose log can be read. */
export interface LogSource {
  namespace: string;
  pod: string;
  container: string;
  /** Different for every attempt of every pod. */
  key: string;
}

/** States of a container whose image is not there (kubernetes pkg/kubelet/images/types.go). They come in turns for ever. */
const IMAGE_STATES = new Set([
  "ErrImagePull",
  "ImagePullBackOff",
  "ErrImageNeverPull",
  "InvalidImageName",
  "RegistryUnavailable",
]);

const IMAGE_HINT =
  "  Check the image's name, or put it into the engine yourself (docker pull, docker load, docker build); " +
  "--plugin process needs no image.";

/**
 * Says on the screen what happens to pods: one line whenever what a person would see in `kubectl get pods` changes.
 * Names each container attempt once, when its log becomes readable.
 */
export class PodFollower {
  readonly #screen: Screen;
  readonly #startLog: (source: LogSource) => void;
  readonly #shown = new Map<string, string>();
  readonly #followed = new Map<string, Set<string>>();
  readonly #busy = new Map<string, string>();
  /** Pods whose missing image has been told. */
  readonly #imageTold = new Set<string>();

  constructor(screen: Screen, startLog: (source: LogSource) => void) {
    this.#screen = screen;
    this.#startLog = startLog;
  }

  changed(pod: Pod): void {
    const uid = pod.metadata?.uid ?? "";
    const name = podName(pod);
    const { state, message } = podLine(pod);
    this.#showLine(uid, state, `pod/${name}  ${state}${message === "" ? "" : `: ${message}`}`);
    const ended = pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";
    if (ended || state === "Running") this.#busy.delete(uid);
    else this.#busy.set(uid, `pod/${name} ${state}`);
    this.#showBusy();
    for (const source of startedContainers(pod)) {
      const followed = this.#followed.get(uid) ?? new Set();
      this.#followed.set(uid, followed);
      if (followed.has(source.key)) continue;
      followed.add(source.key);
      this.#startLog(source);
    }
  }

  removed(pod: Pod): void {
    const uid = pod.metadata?.uid ?? "";
    this.#shown.delete(uid);
    this.#followed.delete(uid);
    this.#imageTold.delete(uid);
    this.#busy.delete(uid);
    this.#showBusy();
    this.#screen.print(this.#screen.faint(`pod/${podName(pod)}  deleted`));
  }

  #showLine(uid: string, state: string, line: string): void {
    const image = IMAGE_STATES.has(state.replace(/^Init:/, ""));
    if (this.#shown.get(uid) === line || (image && this.#imageTold.has(uid))) return;
    this.#shown.set(uid, line);
    this.#screen.print(this.#screen.faint(line));
    if (!image) return;
    this.#imageTold.add(uid);
    this.#screen.print(IMAGE_HINT);
  }

  #showBusy(): void {
    const waiting = [...this.#busy.values()];
    this.#screen.busy(
      waiting.length > 1 ? `${waiting[0]} and ${waiting.length - 1} more` : (waiting[0] ?? ""),
    );
  }
}

/** `hello`, or `namespace/hello` outside the default namespace. */
export function podName({ metadata }: Pod): string {
  const namespace = metadata?.namespace ?? "default";
  return namespace === "default" ? `${metadata?.name}` : `${namespace}/${metadata?.name}`;
}

/** The container attempts that run or have run. */
export function startedContainers(pod: Pod): LogSource[] {
  const statuses = [
    ...(pod.status?.initContainerStatuses ?? []),
    ...(pod.status?.containerStatuses ?? []),
  ];
  return statuses
    .filter(({ state }) => state?.running ?? state?.terminated?.startedAt)
    .map((status) => ({
      namespace: pod.metadata?.namespace ?? "default",
      pod: pod.metadata?.name ?? "",
      container: status.name,
      key: `${pod.metadata?.uid}/${status.name}/${status.restartCount}`,
    }));
}
