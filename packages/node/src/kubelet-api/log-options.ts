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
}

/**
 * Reads the query of `/containerLogs/…` by the kubelet's rules. `stream=All`, which API servers of 1.34 and later
 * always send, is the only stream there is. Throws KubeletError with the kubelet's words: 400 for what cannot be read,
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
  const stream = query.get("stream") ?? "";
  const impossible =
    (tailLines !== undefined && tailLines < 0) ||
    (limitBytes !== undefined && limitBytes < 1) ||
    (sinceSeconds !== undefined && sinceSeconds < 1) ||
    (sinceSeconds !== undefined && sinceTime !== "") ||
    !["", "All", "Stdout", "Stderr"].includes(stream) ||
    (tailLines !== undefined && (stream === "Stdout" || stream === "Stderr"));
  if (impossible) throw new KubeletError("invalid", '{"message": "Invalid request."}');
  if (stream === "Stdout" || stream === "Stderr")
    throw new KubeletError(
      "bad-request",
      `this virtual node keeps stdout and stderr as one log; ask for it without stream=${stream}`,
    );
  return {
    follow: flag(query, "follow"),
    previous: flag(query, "previous"),
    timestamps: flag(query, "timestamps"),
    ...(sinceSeconds === undefined ? {} : { sinceSeconds }),
    ...(sinceTime === "" ? {} : { sinceTime }),
    ...(tailLines === undefined ? {} : { tailLines }),
    ...(limitBytes === undefined ? {} : { limitBytes }),
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
