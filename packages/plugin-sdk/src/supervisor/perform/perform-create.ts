import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PluginError } from "../../plugin-error.ts";
import { readFileVariables } from "../../resolve/env-file.ts";
import { resolveContainer } from "../../resolve/resolve-container.ts";
import type {
  ContainerHandle,
  ContainerSpec,
  PullProgress,
} from "../../runtime/container-runtime.ts";
import { pullPolicy } from "../../runtime/pull-policy.ts";
import { ImageError, RuntimeError } from "../../runtime/runtime-error.ts";
import { raised } from "../back-off.ts";
import { eventTexts } from "../event-texts.ts";
import type { PlannedContainer } from "../planned-pod.ts";
import type { Attempt, ContainerRecord } from "../record.ts";
import { containerRecord, withAttempt, withContainer } from "../record.ts";
import type { PodWork } from "../work.ts";
import { currentAttempt, plannedContainer } from "../work.ts";
import { wordsOf } from "./perform-sandbox.ts";
import { nextNewsAt, pullingMessage } from "./pull-news.ts";
import { TERMINATION_FILE } from "./read-ended-messages.ts";

/** As a kubelet's sync after an error. */
const CREATE_RETRY_MS = 10_000;

export async function ensureImage(
  work: PodWork,
  name: string,
  attempt: number,
  signal: AbortSignal,
): Promise<void> {
  const { parts, plan } = work;
  const { container } = plannedContainer(work, name);
  const image = container.image ?? "";
  const asked = parts.clock.now();
  const news = pullNews(work, name, image);
  try {
    const { imageID, pulled, isIgnored } = await parts.pulls.run(signal, () =>
      parts.runtime.ensureImage(
        {
          uid: plan.uid,
          image,
          pullPolicy: pullPolicy(image, container.imagePullPolicy),
          pullSecrets: work.pullSecrets ?? [],
          onPull: (step) => {
            if (step.phase === "progress") return news(step);
            if (step.phase === "pulling") return work.tell(eventTexts.pulling(name, image));
            const { milliseconds, bytes } = step;
            const withWaiting = Math.max(parts.clock.now() - asked, milliseconds);
            work.tell(eventTexts.pulled(name, image, milliseconds, withWaiting, bytes));
          },
        },
        signal,
      ),
    );
    if (!pulled && !isIgnored) work.tell(eventTexts.present(name, image));
    work.images.set(name, { attempt, imageID });
    work.change((record) => withContainer(record, name, withoutImageTrouble));
    parts.checkpoint("create.image-ready");
  } catch (error) {
    if (!(error instanceof ImageError) || signal.aborted) throw error;
    const { code, message } = error;
    for (const event of eventTexts.imageFailed(name, image, code, message)) work.tell(event);
    const now = parts.clock.now();
    work.change((record) =>
      withContainer(record, name, (before) => {
        const backOff = raised(before.image?.backOff, now, now);
        return { ...before, image: { code, message, backOff } };
      }),
    );
  } finally {
    work.pulling.delete(name);
  }
}

/** Keeps the status of a container that waits for a long pull true. */
function pullNews(work: PodWork, name: string, image: string): (progress: PullProgress) => void {
  const { clock } = work.parts;
  let begun: number | undefined;
  let told: number | undefined;
  return (progress) => {
    const now = clock.now();
    begun ??= now;
    if (now < nextNewsAt(begun, told)) return;
    told = now;
    work.pulling.set(name, pullingMessage(image, progress));
    work.wake();
  };
}

/** The attempt is in the record, durably, before anything starts it: a crash can only find it, not make it twice. */
export async function createContainer(
  work: PodWork,
  name: string,
  attempt: number,
  signal: AbortSignal,
): Promise<void> {
  const { parts } = work;
  const planned = plannedContainer(work, name);
  const imageID = work.images.get(name)?.imageID ?? "";
  try {
    const spec = await containerSpec(work, planned, attempt, imageID);
    const { id, warnings = [] } = await parts.steps.run(signal, () =>
      parts.runtime.createContainer(spec, signal),
    );
    const now = parts.clock.now();
    work.madeAtTick.set(`${name} ${attempt}`, parts.tick());
    for (const ticks of [work.madeAtTick, work.stoppedAtTick])
      ticks.delete(`${name} ${attempt - 1}`);
    work.change((record) =>
      withContainer(record, name, (before) =>
        begun(
          before,
          { attempt, id, imageID, image: planned.container.image ?? "", state: "created" },
          now,
        ),
      ),
    );
    work.images.delete(name);
    parts.checkpoint("create.container-created");
    work.tell(eventTexts.created(name));
    for (const { reason, message } of warnings) {
      work.tell({ type: "Warning", reason, message, container: name });
    }
    await work.save();
  } catch (error) {
    // The sandbox may be what is missing; making sure of it costs little.
    if (work.sandbox === "ready") work.sandbox = "unknown";
    // And so may the image be, if somebody has removed it: the next try asks anew, as a kubelet's does.
    work.images.delete(name);
    const reason = signal.aborted ? undefined : problemReason(error);
    if (reason === undefined) throw error;
    const message = wordsOf(error);
    work.tell(eventTexts.failed(name, message));
    const retryAt = parts.clock.now() + CREATE_RETRY_MS * (1 + parts.random() / 2);
    work.change((record) =>
      withContainer(record, name, (before) => ({
        ...before,
        problem: { reason, message, retryAt },
      })),
    );
  }
}

export async function startContainer(
  work: PodWork,
  name: string,
  attempt: number,
  signal: AbortSignal,
): Promise<void> {
  const { parts, plan } = work;
  const found = currentAttempt(work, name, attempt);
  if (found === undefined) return;
  try {
    await parts.steps.run(signal, () => parts.runtime.startContainer(found.handle, signal));
    parts.checkpoint("create.container-started");
    const startedAt = parts.clock.now();
    work.started();
    work.change((record) =>
      withAttempt(record, name, attempt, (current) =>
        current.state === "created" ? { ...current, state: "running", startedAt } : current,
      ),
    );
    work.tell(eventTexts.started(name));
    // It may have ended already.
    parts.refresh(plan.uid);
  } catch (error) {
    if (!(error instanceof RuntimeError) || error.code !== "StartFailed") throw error;
    const { message, exitCode = 128 } = error;
    work.tell(eventTexts.failed(name, `failed to start container "${name}": ${message}`));
    const finishedAt = parts.clock.now();
    work.change((record) =>
      withAttempt(record, name, attempt, (current) => ({
        ...current,
        state: "exited",
        exitCode,
        reason: "StartError",
        message,
        finishedAt,
        startFailed: true,
      })),
    );
    await work.save();
  }
}

async function containerSpec(
  work: PodWork,
  { container, kind, target }: PlannedContainer,
  attempt: number,
  imageID: string,
): Promise<ContainerSpec> {
  const { parts, plan, volumes } = work;
  if (volumes === undefined) throw new Error("The volumes are not ready.");
  const { podIPs = [] } = work.record().sandbox ?? {};
  const addresses = {
    podIPs,
    // Whoever does not know it better: what the node says, which is what the pod's status shows.
    hostIP: parts.hostIP ?? plan.pod.status?.hostIP ?? "",
  };
  const files = await readFileVariables(container, volumes);
  const { env, command, args } = resolveContainer(plan.pod, container, addresses, files);
  const mounts = await volumes.mounts(container, env);
  const paths = parts.store.paths(plan.uid);
  const directory = paths.container(container.name, attempt);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const terminationMessageFile = join(directory, TERMINATION_FILE);
  // Everybody may write: the container may run as any user, and the directory above is closed.
  await writeFile(terminationMessageFile, "", { flag: "a" });
  await chmod(terminationMessageFile, 0o666);
  return {
    pod: plan.pod,
    kind,
    container,
    ...(target !== undefined && { target: targetHandle(work, target) }),
    attempt,
    imageID,
    env,
    ...(command && { command }),
    ...(args && { args }),
    mounts,
    terminationMessageFile,
    directory,
    logFile: paths.log(container.name, attempt),
    ...(container.securityContext && { securityContext: container.securityContext }),
  };
}

function targetHandle(work: PodWork, target: string): ContainerHandle {
  const { current } = containerRecord(work.record(), target);
  if (current === undefined) {
    throw new RuntimeError("InvalidConfig", `unable to find target container ${target}`);
  }
  return {
    uid: work.plan.uid,
    containerName: target,
    attempt: current.attempt,
    id: current.id,
  };
}

/** The waiting reason of a failed create; `undefined` when it is not the container's fault. */
function problemReason(error: unknown): string | undefined {
  if (error instanceof PluginError) {
    return error.code === "rejected" || error.code === "invalid"
      ? "CreateContainerConfigError"
      : undefined;
  }
  if (!(error instanceof RuntimeError)) return undefined;
  if (error.code === "InvalidConfig") return "CreateContainerConfigError";
  return error.code === "CreateFailed" ? "CreateContainerError" : undefined;
}

function begun(before: ContainerRecord, current: Attempt, now: number): ContainerRecord {
  const { problem: _problem, image: _image, current: previous, crash, ...rest } = before;
  if (previous === undefined) return { ...rest, current };
  // It did not crash: it was stopped to become another.
  if (previous.stop?.reason === "changed") return { ...rest, previous, current };
  const next = raised(crash, previous.finishedAt ?? now, now);
  return { ...rest, previous, current, crash: next };
}

function withoutImageTrouble(before: ContainerRecord): ContainerRecord {
  const { image: _image, ...rest } = before;
  return before.image === undefined ? before : rest;
}
