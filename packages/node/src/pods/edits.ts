import { sameJson } from "@interlink/kube";
import { offers } from "@interlink/protocol";
import type { Container, Pod, PodSpec } from "kubernetes-types/core/v1.js";
import { EPHEMERAL_UNSUPPORTED, RESIZE_UNSUPPORTED } from "../status/unsupported.ts";
import type { PodContext } from "./pod-context.ts";
import { isEnding, type PodRecord } from "./pod-record.ts";
import { offersEphemeral } from "./site-request.ts";

/** Something that a person changed in the spec of a pod and that this node cannot follow. */
export interface EditProblem {
  reason: string;
  message: string;
  container: string;
}

/** Which edits the site follows. */
export interface SiteEdits {
  images: boolean;
  ephemeralContainers: boolean;
}

/**
 * What of an edit has no effect on the job, for a pod that has one (kubelet-contract.md 3.5, 3.6, 3.11). Silence would
 * leave whoever made it waiting.
 */
export function editProblems(
  before: PodSpec | undefined,
  { spec: after }: Pod,
  site: SiteEdits,
): EditProblem[] {
  const problems: EditProblem[] = [];
  const known = new Set(before?.ephemeralContainers?.map(({ name }) => name));
  for (const { name } of after?.ephemeralContainers ?? []) {
    if (known.has(name) || site.ephemeralContainers) continue;
    problems.push({
      reason: "Failed",
      message: `Error: ${EPHEMERAL_UNSUPPORTED}`,
      container: name,
    });
  }
  for (const container of allContainers(after)) {
    const { name, image = "", resources } = container;
    const old = allContainers(before).find((one) => one.name === name);
    if (!old) continue;
    if (!sameJson(old.resources ?? {}, resources ?? {})) {
      problems.push({ reason: "ResizeInfeasible", message: RESIZE_UNSUPPORTED, container: name });
    }
    if (!site.images && old.image !== image) {
      const message = `Container ${name} definition changed, but the site cannot restart it with the image "${image}"`;
      problems.push({ reason: "FailedSync", message, container: name });
    }
  }
  return problems;
}

/** Says at once what of a change to the pod's spec comes to nothing, with an event each. */
export function tellEdits(
  record: PodRecord,
  { site, events }: Pick<PodContext, "site" | "events">,
): void {
  const { judged, pod, job } = record;
  if (pod.spec === judged) return;
  if (pod.spec) record.judged = pod.spec;
  // Before its create the job takes on everything, and after its end nothing matters.
  if (judged === undefined || job === "none" || job === "over" || isEnding(record)) return;
  const problems = editProblems(judged, pod, {
    images: offers(site.capabilities, "pod-updates"),
    ephemeralContainers: offersEphemeral(site.capabilities),
  });
  for (const { reason, message, container } of problems) {
    events.warning(pod, reason, message, container);
  }
}

function allContainers(spec: PodSpec | undefined): Container[] {
  return [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
}
