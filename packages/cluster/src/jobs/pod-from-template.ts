import type { Job } from "kubernetes-types/batch/v1.js";
import type { PodSpec } from "kubernetes-types/core/v1.js";
import { as, clone, type KubeObject } from "../api/object.ts";
import type { Writable } from "../pods/defaults.ts";
import { indexAnnotation, trackingFinalizer } from "./job-state.ts";

const maxNamePrefix = 57;

/** A new pod of a job; for an Indexed job, the one of that index. */
export function podFromTemplate(object: KubeObject, index: number | undefined): KubeObject {
  const job = as<Job>(object);
  const { name = "", uid = "" } = object.metadata;
  const template = clone(job.spec?.template ?? {});
  const pod: KubeObject = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      generateName: index === undefined ? `${name}-` : `${name.slice(0, maxNamePrefix)}-${index}-`,
      labels: { ...template.metadata?.labels },
      ...(template.metadata?.annotations ? { annotations: template.metadata.annotations } : {}),
      finalizers: [...(template.metadata?.finalizers ?? []), trackingFinalizer],
      ownerReferences: [
        {
          apiVersion: "batch/v1",
          kind: "Job",
          name,
          uid,
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    spec: template.spec,
  };
  if (index !== undefined) addIndex(pod, name, index);
  return pod;
}

function addIndex(pod: KubeObject, jobName: string, index: number): void {
  const text = String(index);
  pod.metadata.annotations = { ...pod.metadata.annotations, [indexAnnotation]: text };
  pod.metadata.labels = { ...pod.metadata.labels, [indexAnnotation]: text };
  const spec = as<{ spec: Writable<PodSpec> }>(pod).spec;
  spec.hostname ??= `${jobName.slice(0, maxNamePrefix)}-${index}`;
  for (const container of [...(spec.initContainers ?? []), ...spec.containers]) {
    if ((container.env ?? []).some((item) => item.name === "JOB_COMPLETION_INDEX")) continue;
    const fieldPath = `metadata.labels['${indexAnnotation}']`;
    container.env = [
      ...(container.env ?? []),
      { name: "JOB_COMPLETION_INDEX", valueFrom: { fieldRef: { apiVersion: "v1", fieldPath } } },
    ];
  }
}
