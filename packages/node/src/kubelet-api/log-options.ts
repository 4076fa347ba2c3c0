import type { LogStreamName } from "@interlink/protocol";
import { KubeletError } from "./kubelet-error.ts";

/** What `kubectl logs` asks for (core/v1 PodLogOptions). What is undefined was not asked for. */
export interface ContainerLogOptions {
  follow: boolean;
  previous: boolean;
  timestamps: boolean;
  sinceSeconds?: number;
  /** RFC 3339. */
  sinceTime?: string;
  /** 0 means: no old line. */
  tailLines?: number;
  limitBytes?: number;
  /** Only what the container wrote there. */
  stream?: LogStreamName;
}

/**
 * Reads the query of `/containerLogs/…` by the rules of a kubelet with the feature gate PodLogsQuerySplitStreams: an API
 * server that has it always sends `stream`, mostly `All`, and one that has not never does. Throws KubeletError with the kubelet's words: 400 for what cannot be read,
 * 422 for what makes no sense.
 */
export function parseLogOptions(query: URLSearchParams): ContainerLogOptions {
  const tail = query.get("tail");
  const number = (name: string, value = query.get(name)): number | undefined => {
    if (value === null || value === "") return undefined;
    if (!/^[+-]?\d{1,18}$/.test(value)) throw undecodable();
    return Number(value);
  };
  const sinceSeconds = number("sinceSeconds");
  const limitBytes = number("limitBytes");
  // `tail` is what old clients send; its "all" is the same as nothing.
  const tailLines =
    tail === null || tail === ""
      ? number("tailLines")
      : number("tail", tail === "all" ? null : tail);
  const sinceTime = query.get("sinceTime") ?? "";
  if (sinceTime !== "" && !isRfc3339(sinceTime)) throw undecodable();
  const given = query.get("stream") ?? "";
  const stream = given === "Stdout" || given === "Stderr" ? given : undefined;
  const impossible =
    (tailLines !== undefined && tailLines < 0) ||
    (limitBytes !== undefined && limitBytes < 1) ||
    (sinceSeconds !== undefined && sinceSeconds < 1) ||
    (sinceSeconds !== undefined && sinceTime !== "") ||
    !["", "All", "Stdout", "Stderr"].includes(given) ||
    (tailLines !== undefined && stream !== undefined);
  if (impossible) throw new KubeletError("invalid", '{"message": "Invalid request."}');
  return {
    follow: flag(query, "follow"),
    previous: flag(query, "previous"),
    timestamps: flag(query, "timestamps"),
    ...(sinceSeconds === undefined ? {} : { sinceSeconds }),
    ...(sinceTime === "" ? {} : { sinceTime }),
    ...(tailLines === undefined ? {} : { tailLines }),
    ...(limitBytes === undefined ? {} : { limitBytes }),
    ...(stream === undefined ? {} : { stream }),
  };
}

/** As Kubernetes decodes a boolean of a query: present and neither `false` nor `0`. */
function flag(query: URLSearchParams, name: string): boolean {
  const value = query.get(name)?.toLowerCase();
  return value !== undefined && value !== "false" && value !== "0";
}

function isRfc3339(text: string): boolean {
  const shape = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;
  return shape.test(text) && !Number.isNaN(Date.parse(text));
}

function undecodable(): KubeletError {
  return new KubeletError("bad-request", '{"message": "Unable to decode query."}');
}
