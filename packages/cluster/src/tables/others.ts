import type { Lease } from "kubernetes-types/coordination/v1.js";
import type {
  ConfigMap,
  Namespace,
  PersistentVolumeClaim,
  Secret,
  Service,
  ServiceAccount,
} from "kubernetes-types/core/v1.js";
import type { RoleRef, Subject } from "kubernetes-types/rbac/v1.js";
import { as, type KubeObject } from "../api/object.ts";
import type { Column } from "./column.ts";
import { selectorText } from "./label-text.ts";
import { ageColumn, nameColumn } from "./render.ts";

function count(...maps: (object | undefined)[]): number {
  return maps.reduce((sum: number, map) => sum + Object.keys(map ?? {}).length, 0);
}

export const namespaceColumns: readonly Column[] = [
  nameColumn,
  { name: "Status", cell: (object) => as<Namespace>(object).status?.phase ?? "" },
  ageColumn,
];

export const configMapColumns: readonly Column[] = [
  nameColumn,
  {
    name: "Data",
    cell: (object) => count(as<ConfigMap>(object).data, as<ConfigMap>(object).binaryData),
  },
  ageColumn,
];

export const secretColumns: readonly Column[] = [
  nameColumn,
  { name: "Type", cell: (object) => as<Secret>(object).type ?? "" },
  { name: "Data", cell: (object) => count(as<Secret>(object).data) },
  ageColumn,
];

export const serviceAccountColumns: readonly Column[] = [
  nameColumn,
  { name: "Secrets", cell: (object) => as<ServiceAccount>(object).secrets?.length ?? 0 },
  ageColumn,
];

export const leaseColumns: readonly Column[] = [
  nameColumn,
  { name: "Holder", cell: (object) => as<Lease>(object).spec?.holderIdentity ?? "" },
  ageColumn,
];

function externalIps(object: KubeObject): string {
  const { spec, status } = as<Service>(object);
  const given = spec?.externalIPs ?? [];
  if (spec?.type === "ExternalName") return spec.externalName ?? "";
  if (spec?.type === "LoadBalancer") {
    const ingress = (status?.loadBalancer?.ingress ?? []).map((item) => item.ip ?? item.hostname);
    const all = [...ingress, ...given];
    return all.length > 0 ? all.join(",") : "<pending>";
  }
  return given.length > 0 ? given.join(",") : "<none>";
}

function ports(object: KubeObject): string {
  const texts = (as<Service>(object).spec?.ports ?? []).map((port) => {
    const protocol = port.protocol ?? "TCP";
    return port.nodePort ? `${port.port}:${port.nodePort}/${protocol}` : `${port.port}/${protocol}`;
  });
  return texts.length > 0 ? texts.join(",") : "<none>";
}

export const serviceColumns: readonly Column[] = [
  nameColumn,
  { name: "Type", cell: (object) => as<Service>(object).spec?.type ?? "" },
  { name: "Cluster-IP", cell: (object) => as<Service>(object).spec?.clusterIP || "<none>" },
  { name: "External-IP", cell: externalIps },
  { name: "Port(s)", cell: ports },
  ageColumn,
  {
    name: "Selector",
    priority: 1,
    cell: (object) => selectorText(as<Service>(object).spec?.selector),
  },
];

const accessModes: Readonly<Record<string, string>> = {
  ReadWriteOnce: "RWO",
  ReadOnlyMany: "ROX",
  ReadWriteMany: "RWX",
  ReadWriteOncePod: "RWOP",
};

export const claimColumns: readonly Column[] = [
  nameColumn,
  {
    name: "Status",
    cell: (object) =>
      object.metadata.deletionTimestamp
        ? "Terminating"
        : (as<PersistentVolumeClaim>(object).status?.phase ?? ""),
  },
  { name: "Volume", cell: (object) => as<PersistentVolumeClaim>(object).spec?.volumeName ?? "" },
  {
    name: "Capacity",
    cell: (object) => as<PersistentVolumeClaim>(object).status?.capacity?.storage ?? "",
  },
  {
    name: "Access Modes",
    cell: (object) =>
      (as<PersistentVolumeClaim>(object).status?.accessModes ?? [])
        .map((mode) => accessModes[mode] ?? mode)
        .join(","),
  },
  {
    name: "StorageClass",
    cell: (object) => as<PersistentVolumeClaim>(object).spec?.storageClassName ?? "",
  },
  {
    name: "VolumeAttributesClass",
    cell: (object) =>
      as<PersistentVolumeClaim>(object).spec?.volumeAttributesClassName ?? "<unset>",
  },
  ageColumn,
  {
    name: "VolumeMode",
    priority: 1,
    cell: (object) => as<PersistentVolumeClaim>(object).spec?.volumeMode ?? "<unset>",
  },
];

function roleOf(object: KubeObject): string {
  const { roleRef } = as<{ roleRef?: RoleRef }>(object);
  return `${roleRef?.kind ?? ""}/${roleRef?.name ?? ""}`;
}

function subjects(kind: string): (object: KubeObject) => string {
  return (object) =>
    (as<{ subjects?: Subject[] }>(object).subjects ?? [])
      .filter((subject) => subject.kind === kind)
      .map((subject) =>
        kind === "ServiceAccount" ? `${subject.namespace ?? ""}/${subject.name}` : subject.name,
      )
      .join(", ");
}

export const bindingColumns: readonly Column[] = [
  nameColumn,
  { name: "Role", cell: roleOf },
  ageColumn,
  { name: "Users", priority: 1, cell: subjects("User") },
  { name: "Groups", priority: 1, cell: subjects("Group") },
  { name: "ServiceAccounts", priority: 1, cell: subjects("ServiceAccount") },
];
