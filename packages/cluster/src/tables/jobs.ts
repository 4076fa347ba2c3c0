import type { Job } from "kubernetes-types/batch/v1.js";
import { as, type KubeObject } from "../api/object.ts";
import type { Column } from "./column.ts";
import { humanDuration } from "./duration.ts";
import { selectorText } from "./label-text.ts";
import { ageColumn, nameColumn } from "./render.ts";

function condition(job: Job, type: string): boolean {
  return (job.status?.conditions ?? []).some(
    (item) => item.type === type && item.status === "True",
  );
}

function status(object: KubeObject): string {
  const job = as<Job>(object);
  if (condition(job, "Complete")) return "Complete";
  if (condition(job, "Failed")) return "Failed";
  if (object.metadata.deletionTimestamp) return "Terminating";
  if (condition(job, "Suspended")) return "Suspended";
  if (condition(job, "FailureTarget")) return "FailureTarget";
  if (condition(job, "SuccessCriteriaMet")) return "SuccessCriteriaMet";
  return "Running";
}

function completions(object: KubeObject): string {
  const { spec, status: state } = as<Job>(object);
  const done = state?.succeeded ?? 0;
  if (spec?.completions !== undefined) return `${done}/${spec.completions}`;
  const parallelism = spec?.parallelism ?? 0;
  return parallelism > 1 ? `${done}/1 of ${parallelism}` : `${done}/1`;
}

function duration(object: KubeObject, now: number): string {
  const { startTime, completionTime } = as<Job>(object).status ?? {};
  if (!startTime) return "";
  const end = completionTime ? Date.parse(completionTime) : now;
  return humanDuration(end - Date.parse(startTime));
}

export const jobColumns: readonly Column[] = [
  nameColumn,
  { name: "Status", cell: status },
  { name: "Completions", cell: completions },
  { name: "Duration", cell: duration },
  ageColumn,
  {
    name: "Containers",
    priority: 1,
    cell: (object) =>
      (as<Job>(object).spec?.template.spec?.containers ?? []).map((item) => item.name).join(","),
  },
  {
    name: "Images",
    priority: 1,
    cell: (object) =>
      (as<Job>(object).spec?.template.spec?.containers ?? []).map((item) => item.image).join(","),
  },
  {
    name: "Selector",
    priority: 1,
    cell: (object) => selectorText(as<Job>(object).spec?.selector?.matchLabels),
  },
];
