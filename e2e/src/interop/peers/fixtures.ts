import { readFileSync } from "node:fs";
import type { PodCreateRequest } from "@interlink/protocol";
import type { Pod } from "kubernetes-types/core/v1.js";

/** A golden fixture of packages/protocol (see its fixtures/README.md): the bytes, and what they mean. */
export function fixture(name: string): { body: string; reads: unknown } {
  const file = new URL(`../../../../packages/protocol/fixtures/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, "utf8")) as { body: string; reads: unknown };
}

/** The body of a create as an existing virtual node writes it, and its pod. */
export const createBody = fixture("create-request").body;
export const pod: Pod = (JSON.parse(createBody) as PodCreateRequest).pod;
export const uid = pod.metadata?.uid ?? "";

/** The same create for a pod of another name and UID. */
export function another(name: string, number: number): { body: string; pod: Pod } {
  const request = JSON.parse(createBody) as PodCreateRequest;
  const other = `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;
  request.pod.metadata = { ...request.pod.metadata, name, uid: other };
  return { body: JSON.stringify(request), pod: request.pod };
}
