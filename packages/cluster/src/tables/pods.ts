import type { Pod } from "kubernetes-types/core/v1.js";
import { as, type KubeObject } from "../api/object.ts";
import type { Column } from "./column.ts";
import { podSummary } from "./pod-status.ts";
import { ageColumn, nameColumn } from "./render.ts";

function gates(object: KubeObject): string {
  const pod = as<Pod>(object);
  const wanted = pod.spec?.readinessGates ?? [];
  if (wanted.length === 0) return "<none>";
  const open = wanted.filter((gate) =>
    (pod.status?.conditions ?? []).some(
      (condition) => condition.type === gate.conditionType && condition.status === "True",
    ),
  );
  return `${open.length}/${wanted.length}`;
}

export const podColumns: readonly Column[] = [
  nameColumn,
  { name: "Ready", cell: (object, now) => podSummary(as<Pod>(object), now).ready },
  { name: "Status", cell: (object, now) => podSummary(as<Pod>(object), now).status },
  { name: "Restarts", cell: (object, now) => podSummary(as<Pod>(object), now).restarts },
  ageColumn,
  {
    name: "IP",
    priority: 1,
    cell: (object) => {
      const { status } = as<Pod>(object);
      return status?.podIPs?.[0]?.ip || status?.podIP || "<none>";
    },
  },
  { name: "Node", priority: 1, cell: (object) => as<Pod>(object).spec?.nodeName || "<none>" },
  {
    name: "Nominated Node",
    priority: 1,
    cell: (object) => as<Pod>(object).status?.nominatedNodeName || "<none>",
  },
  { name: "Readiness Gates", priority: 1, cell: gates },
];
