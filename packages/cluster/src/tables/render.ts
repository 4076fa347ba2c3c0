import type { KubeObject } from "../api/object.ts";
import type { ResourceDefinition } from "../resources/definition.ts";
import type { Column } from "./column.ts";
import { age } from "./duration.ts";

const nameColumn: Column = {
  name: "Name",
  format: "name",
  cell: (object) => object.metadata.name ?? "",
};

const ageColumn: Column = {
  name: "Age",
  cell: (object, now) => age(object.metadata.creationTimestamp, now),
};

/** Kinds without columns of their own show NAME and CREATED AT, like the real server's default. */
const defaultColumns: readonly Column[] = [
  nameColumn,
  {
    name: "Created At",
    type: "date",
    cell: (object) => object.metadata.creationTimestamp ?? "",
  },
];

export { ageColumn, nameColumn };

function columnsOf(definition: ResourceDefinition): readonly Column[] {
  return definition.columns.length > 0 ? definition.columns : defaultColumns;
}

export function tableColumns(definition: ResourceDefinition): object[] {
  return columnsOf(definition).map((column) => ({
    name: column.name,
    type: column.type ?? "string",
    format: column.format ?? "",
    description: column.description ?? `${column.name} of the ${definition.kind}.`,
    priority: column.priority ?? 0,
  }));
}

export function renderRow(
  definition: ResourceDefinition,
  object: KubeObject,
  now: number,
): (string | number)[] {
  return columnsOf(definition).map((column) => column.cell(object, now));
}
