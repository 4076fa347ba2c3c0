/** How Go's encoding/json reads the messages of this wire: names in any letter case, unknown ones dropped. */

type Json = Readonly<Record<string, unknown>>;

export function field(object: unknown, name: string): unknown {
  if (typeof object !== "object" || object === null) return undefined;
  const key = Object.keys(object).find((one) => one.toLowerCase() === name.toLowerCase());
  return key === undefined ? undefined : (object as Json)[key];
}

/** A string of the message; "" if it is not set. Throws for another type, as Go's decoder does. */
export function text(object: unknown, name: string): string {
  const value = field(object, name) ?? "";
  if (typeof value !== "string") {
    throw new TypeError(
      `json: cannot unmarshal ${typeof value} into Go struct field .${name} of type string`,
    );
  }
  return value;
}

/** A list of the message; `null` if it is not set. */
function list(object: unknown, name: string): unknown[] | null {
  const value = field(object, name) ?? null;
  if (value !== null && !Array.isArray(value)) {
    throw new TypeError(`json: cannot unmarshal into Go struct field .${name} of type []`);
  }
  return value;
}

function time(object: unknown, name: string): string | null {
  const value = field(object, name) ?? null;
  if (value === null) return null;
  if (
    typeof value !== "string" ||
    !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(value)
  ) {
    throw new TypeError(`parsing time ${JSON.stringify(value)} as "2006-01-02T15:04:05Z07:00"`);
  }
  return value;
}

export interface GoContainerStatus {
  name: string;
  state: {
    waiting?: { reason?: string; message?: string };
    running?: { startedAt: string | null };
    terminated?: {
      exitCode: number;
      reason?: string;
      message?: string;
      startedAt: string | null;
      finishedAt: string | null;
    };
  };
  lastState: object;
  ready: boolean;
  restartCount: number;
  image: string;
  imageID: string;
}

export interface GoPodStatus {
  name: string;
  UID: string;
  namespace: string;
  JID: string;
  containers: GoContainerStatus[] | null;
  initContainers: GoContainerStatus[] | null;
}

/** `[]PodStatus`, decoded, as it would be encoded again. Throws what Go cannot decode. */
export function podStatuses(body: string): GoPodStatus[] {
  const value: unknown = JSON.parse(body);
  if (value === null) return [];
  if (!Array.isArray(value))
    throw new TypeError("json: cannot unmarshal object into Go value of type []PodStatus");
  return value.map((one) => ({
    name: text(one, "name"),
    UID: text(one, "UID"),
    namespace: text(one, "namespace"),
    JID: text(one, "JID"),
    containers: list(one, "containers")?.map(containerStatus) ?? null,
    initContainers: list(one, "initContainers")?.map(containerStatus) ?? null,
  }));
}

function containerStatus(status: unknown): GoContainerStatus {
  const state = field(status, "state");
  const waiting = field(state, "waiting");
  const running = field(state, "running");
  const terminated = field(state, "terminated");
  const words = (of: unknown) => {
    const [reason, message] = [text(of, "reason"), text(of, "message")];
    return { ...(reason === "" ? {} : { reason }), ...(message === "" ? {} : { message }) };
  };
  return {
    name: text(status, "name"),
    state: {
      ...(waiting ? { waiting: words(waiting) } : {}),
      ...(running ? { running: { startedAt: time(running, "startedAt") } } : {}),
      ...(terminated
        ? {
            terminated: {
              exitCode: Number(field(terminated, "exitCode") ?? 0),
              ...words(terminated),
              startedAt: time(terminated, "startedAt"),
              finishedAt: time(terminated, "finishedAt"),
            },
          }
        : {}),
    },
    lastState: {},
    ready: field(status, "ready") === true,
    restartCount: Number(field(status, "restartCount") ?? 0),
    image: text(status, "image"),
    imageID: text(status, "imageID"),
  };
}
