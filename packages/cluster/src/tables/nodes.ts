import type { Node } from "kubernetes-types/core/v1.js";
import { as, type KubeObject } from "../api/object.ts";
import type { Column } from "./column.ts";
import { ageColumn, nameColumn } from "./render.ts";

function status(object: KubeObject): string {
  const node = as<Node>(object);
  const ready = (node.status?.conditions ?? []).find((condition) => condition.type === "Ready");
  const words = [ready ? (ready.status === "True" ? "Ready" : "NotReady") : "Unknown"];
  if (node.spec?.unschedulable) words.push("SchedulingDisabled");
  return words.join(",");
}

const rolePrefix = "node-role.kubernetes.io/";

function roles(object: KubeObject): string {
  const found = new Set<string>();
  for (const [key, value] of Object.entries(object.metadata.labels ?? {})) {
    if (key.startsWith(rolePrefix) && key.length > rolePrefix.length) {
      found.add(key.slice(rolePrefix.length));
    } else if (key === "kubernetes.io/role" && value !== "") {
      found.add(value);
    }
  }
  return found.size > 0 ? [...found].sort().join(",") : "<none>";
}

function address(type: string): (object: KubeObject) => string {
  return (object) =>
    (as<Node>(object).status?.addresses ?? []).find((item) => item.type === type)?.address ??
    "<none>";
}

export const nodeColumns: readonly Column[] = [
  nameColumn,
  { name: "Status", cell: status },
  { name: "Roles", cell: roles },
  ageColumn,
  { name: "Version", cell: (object) => as<Node>(object).status?.nodeInfo?.kubeletVersion ?? "" },
  { name: "Internal-IP", priority: 1, cell: address("InternalIP") },
  { name: "External-IP", priority: 1, cell: address("ExternalIP") },
  {
    name: "OS-Image",
    priority: 1,
    cell: (object) => as<Node>(object).status?.nodeInfo?.osImage || "<unknown>",
  },
  {
    name: "Kernel-Version",
    priority: 1,
    cell: (object) => as<Node>(object).status?.nodeInfo?.kernelVersion || "<unknown>",
  },
  {
    name: "Container-Runtime",
    priority: 1,
    cell: (object) => as<Node>(object).status?.nodeInfo?.containerRuntimeVersion || "<unknown>",
  },
];
