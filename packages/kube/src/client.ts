import type { ListMeta, ObjectMeta } from "kubernetes-types/meta/v1.js";

/** Any Kubernetes object, as raw JSON. */
export interface KubeObject {
  apiVersion?: string;
  kind?: string;
  metadata?: ObjectMeta;
}

/** A page of a collection, or all of it: `metadata.continue` says whether there is more. */
export interface KubeList<T> {
  metadata: ListMeta;
  items: T[];
}

/** How the server reads the body of a patch. */
export type PatchType = "strategic-merge" | "merge" | "json";

/** What one request may say for itself. */
export interface RequestOptions {
  query?: Record<string, string | number | boolean | undefined>;
  signal?: AbortSignal;
  /** Deadline for the whole call, milliseconds; default 30 000. */
  timeoutMs?: number;
}

/**
 * A Kubernetes API server, raw JSON in and out. Paths are absolute (`/api/v1/namespaces/default/pods`); make them with
 * the functions of `paths.ts`. Everything that is not 2xx throws a `KubeError` with the server's Status.
 */
export interface KubeClient {
  get<T>(path: string, options?: RequestOptions): Promise<T>;
  list<T>(path: string, options?: RequestOptions): Promise<KubeList<T>>;
  create<T>(path: string, body: unknown, options?: RequestOptions): Promise<T>;
  replace<T>(path: string, body: unknown, options?: RequestOptions): Promise<T>;
  patch<T>(path: string, type: PatchType, body: unknown, options?: RequestOptions): Promise<T>;
  /** `body` is a DeleteOptions. */
  delete<T>(path: string, body?: unknown, options?: RequestOptions): Promise<T>;
  /** Lines of a watch, ended by the server or the signal. No deadline of its own: the reader keeps a watchdog. */
  watch(path: string, options: RequestOptions): AsyncIterable<WatchEvent>;
  /** Raw bytes of an answer as they come (`…/log?follow=true`); no deadline after the header. */
  stream(path: string, options?: RequestOptions): AsyncIterable<Uint8Array>;
  /** `https://host:port` for people. */
  readonly server: string;
  close(): Promise<void>;
}

/** A line of a watch. The object of an ERROR is a Status, that of a BOOKMARK has only a resourceVersion. */
export interface WatchEvent<T = KubeObject> {
  type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  object: T;
}
