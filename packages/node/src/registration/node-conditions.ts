import type { NodeCondition } from "kubernetes-types/core/v1.js";

/** What the last ping of the site said. */
type Connectivity =
  | { state: "unknown" }
  | { state: "ok"; body: string }
  /** `sinceMs`: of the first failure in a row. */
  | { state: "failed"; error: string; sinceMs: number };

export interface NodeHealth {
  connectivity: Connectivity;
  /** Why the node does not take pods yet, or no longer; undefined when it does. */
  notReady: string | undefined;
}

type Verdict = Pick<NodeCondition, "type" | "status" | "reason" | "message">;

/** A ping body can be of any size; conditions and annotations travel with every change of the node. */
const MESSAGE_LIMIT = 512;

/**
 * The node's conditions in a kubelet's order, Ready last, with a kubelet's words. Pressure is never reported: what is
 * scarce is at the site. Transition times are kept from `before` unless a status flips.
 */
export function nodeConditions(
  health: NodeHealth,
  notReadyAfterSeconds: number | undefined,
  before: readonly NodeCondition[],
  now: Date,
): NodeCondition[] {
  const at = now.toISOString().replace(/\.\d{3}Z$/, "Z");
  const verdicts: Verdict[] = [
    good("MemoryPressure", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    good("DiskPressure", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    good("PIDPressure", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    good("NetworkUnavailable", "RouteCreated", "the network of pods is the site's"),
    connectivityVerdict(health.connectivity),
    readyVerdict(health, notReadyAfterSeconds, now),
  ];
  return verdicts.map((verdict) => {
    const old = before.find((one) => one.type === verdict.type);
    const kept = old?.status === verdict.status ? old.lastTransitionTime : undefined;
    return { ...verdict, lastHeartbeatTime: at, lastTransitionTime: kept ?? at };
  });
}

/** What there is to tell apart from heartbeats: two of these are equal when nothing has happened. */
export function withoutHeartbeats(conditions: readonly NodeCondition[]): NodeCondition[] {
  return conditions.map((condition) => {
    const { lastHeartbeatTime: _, ...rest } = condition;
    return rest;
  });
}

function good(type: string, reason: string, message: string): Verdict {
  return { type, status: "False", reason, message };
}

function connectivityVerdict(connectivity: Connectivity): Verdict {
  const type = "InterlinkConnectivity";
  if (connectivity.state === "ok") {
    const body = cut(connectivity.body);
    const message = `Ping successful with code 200. Response: ${body}`;
    return { type, status: "True", reason: "InterlinkPingSuccessful", message };
  }
  if (connectivity.state === "failed") {
    const message = `Ping failed: ${cut(connectivity.error)}`;
    return { type, status: "False", reason: "InterlinkPingFailed", message };
  }
  const message = "The site has not been pinged yet.";
  return { type, status: "Unknown", reason: "InterlinkPingPending", message };
}

function readyVerdict(
  health: NodeHealth,
  notReadyAfterSeconds: number | undefined,
  now: Date,
): Verdict {
  const { connectivity, notReady } = health;
  const silentMs = connectivity.state === "failed" ? now.getTime() - connectivity.sinceMs : 0;
  const problems = [
    ...(notReady === undefined ? [] : [notReady]),
    ...(connectivity.state === "failed" &&
    notReadyAfterSeconds !== undefined &&
    silentMs >= notReadyAfterSeconds * 1000
      ? [`the site has not answered for ${notReadyAfterSeconds} s: ${cut(connectivity.error)}`]
      : []),
  ];
  return problems.length === 0
    ? {
        type: "Ready",
        status: "True",
        reason: "KubeletReady",
        message: "kubelet is posting ready status",
      }
    : {
        type: "Ready",
        status: "False",
        reason: "KubeletNotReady",
        message: `[${problems.join(", ")}]`,
      };
}

function cut(text: string): string {
  return text.length <= MESSAGE_LIMIT ? text : `${text.slice(0, MESSAGE_LIMIT)}…`;
}
