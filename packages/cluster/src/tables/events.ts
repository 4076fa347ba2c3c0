import type { Event } from "kubernetes-types/core/v1.js";
import { as } from "../api/object.ts";
import type { Column } from "./column.ts";
import { age } from "./duration.ts";

function firstSeen(event: Event): string | undefined {
  return event.firstTimestamp ?? event.eventTime;
}

function lastSeen(event: Event, now: number): string {
  if (event.series?.lastObservedTime) return age(event.series.lastObservedTime, now);
  return event.lastTimestamp ? age(event.lastTimestamp, now) : age(firstSeen(event), now);
}

export const eventColumns: readonly Column[] = [
  { name: "Last Seen", cell: (object, now) => lastSeen(as<Event>(object), now) },
  { name: "Type", cell: (object) => as<Event>(object).type ?? "" },
  { name: "Reason", cell: (object) => as<Event>(object).reason ?? "" },
  {
    name: "Object",
    cell: (object) => {
      const { kind, name } = as<Event>(object).involvedObject ?? {};
      return name ? `${(kind ?? "").toLowerCase()}/${name}` : (kind ?? "").toLowerCase();
    },
  },
  {
    name: "Subobject",
    priority: 1,
    cell: (object) => as<Event>(object).involvedObject?.fieldPath ?? "",
  },
  {
    name: "Source",
    priority: 1,
    cell: (object) => {
      const { source, reportingComponent, reportingInstance } = as<Event>(object);
      const parts = source?.component
        ? [source.component, source.host]
        : [reportingComponent, reportingInstance];
      return parts.filter((part) => part).join(", ");
    },
  },
  { name: "Message", cell: (object) => (as<Event>(object).message ?? "").trim() },
  {
    name: "First Seen",
    priority: 1,
    cell: (object, now) => age(firstSeen(as<Event>(object)), now),
  },
  {
    name: "Count",
    type: "integer",
    priority: 1,
    cell: (object) => {
      const { series, count } = as<Event>(object);
      return series?.count ?? count ?? 1;
    },
  },
  { name: "Name", priority: 1, cell: (object) => object.metadata.name ?? "" },
];
