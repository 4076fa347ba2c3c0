import { KubeletError } from "../kubelet-error.ts";

/** How the end of a process is told: from 4 on as a metav1.Status, before as text of a failure. */
export type CommandVersion = 1 | 2 | 3 | 4;

const SPDY_COMMANDS: Readonly<Record<string, CommandVersion>> = {
  "v4.channel.k8s.io": 4,
  "v3.channel.k8s.io": 3,
  "v2.channel.k8s.io": 2,
  "channel.k8s.io": 1,
};
const SPDY_PORT_FORWARD = "portforward.k8s.io";

/** A WebSocket's framing, and what it means. */
export interface WebSocketProtocol {
  /** As it was asked for; "": none was. */
  name: string;
  /** Messages are text: a digit for the channel, and base64. */
  base64: boolean;
  /** `[255, channel]` ends a channel. */
  halfClose: boolean;
  version: CommandVersion;
}

const binary = { base64: false, halfClose: false };
const WEB_SOCKET_COMMANDS: readonly WebSocketProtocol[] = [
  { name: "", ...binary, version: 1 },
  { name: "channel.k8s.io", ...binary, version: 1 },
  { name: "base64.channel.k8s.io", base64: true, halfClose: false, version: 1 },
  { name: "v4.channel.k8s.io", ...binary, version: 4 },
  { name: "v4.base64.channel.k8s.io", base64: true, halfClose: false, version: 4 },
  { name: "v5.channel.k8s.io", base64: false, halfClose: true, version: 4 },
];
/** A whole SPDY/3.1 connection in binary messages, as kubectl port-forward has it from 1.31 on. */
export const PORT_FORWARD_TUNNEL = "SPDY/3.1+portforward.k8s.io";
const WEB_SOCKET_PORT_FORWARD: readonly WebSocketProtocol[] = [
  ...WEB_SOCKET_COMMANDS.filter(({ name }) =>
    ["", "v4.channel.k8s.io", "v4.base64.channel.k8s.io"].includes(name),
  ),
  { name: PORT_FORWARD_TUNNEL, ...binary, version: 4 },
];

/** Of exec and attach over SPDY, from `X-Stream-Protocol-Version`. Throws KubeletError. */
export function spdyCommandProtocol(header: string | undefined): {
  name: string;
  version: CommandVersion;
} {
  const name = firstCommon(header, Object.keys(SPDY_COMMANDS));
  return { name, version: SPDY_COMMANDS[name] ?? 4 };
}

/** Of port-forward over SPDY. Throws KubeletError. */
export function spdyPortForwardProtocol(header: string | undefined): string {
  return firstCommon(header, [SPDY_PORT_FORWARD]);
}

/** Of exec and attach over WebSocket, from `Sec-WebSocket-Protocol`. Throws KubeletError. */
export function webSocketCommandProtocol(header: string | undefined): WebSocketProtocol {
  return firstOffered(header, WEB_SOCKET_COMMANDS);
}

/** Of port-forward over WebSocket. Throws KubeletError. */
export function webSocketPortForwardProtocol(header: string | undefined): WebSocketProtocol {
  return firstOffered(header, WEB_SOCKET_PORT_FORWARD);
}

/** The client's order decides (k8s.io/apimachinery httpstream, `negotiateProtocol`); its texts. */
function firstCommon(header: string | undefined, accepted: readonly string[]): string {
  const offered = listOf(header);
  if (offered.length === 0) {
    throw new KubeletError(
      "bad-request",
      "unable to upgrade: unable to negotiate protocol: header X-Stream-Protocol-Version does not exist in request",
    );
  }
  const chosen = offered.find((name) => accepted.includes(name));
  if (chosen !== undefined) return chosen;
  throw new KubeletError(
    "forbidden",
    `unable to upgrade: unable to negotiate protocol: client supports [${offered.join(" ")}], server accepts [${accepted.join(" ")}]`,
    { headers: { "x-accepted-stream-protocol-versions": accepted.join(", ") } },
  );
}

function firstOffered(
  header: string | undefined,
  accepted: readonly WebSocketProtocol[],
): WebSocketProtocol {
  const offered = listOf(header);
  if (offered.length === 0) offered.push("");
  for (const name of offered) {
    const chosen = accepted.find((one) => one.name === name);
    if (chosen !== undefined) return chosen;
  }
  const names = accepted.map(({ name }) => name).filter((name) => name !== "");
  throw new KubeletError(
    "forbidden",
    `requested protocol(s) are not supported: [${offered.join(" ")}]; supports [${names.join(" ")}]`,
  );
}

function listOf(header: string | undefined): string[] {
  return (header ?? "")
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
}
