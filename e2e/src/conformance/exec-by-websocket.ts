import { WebSocket } from "undici";
import { inBackground } from "./background.ts";
import type { Site } from "./site.ts";

const CHANNELS = { stdin: 0, stdout: 1, stderr: 2, status: 3 };

/** What came on each channel; of the status, what it says of success. */
interface ExecResult {
  stdout: string;
  stderr: string;
  status: string;
}

/** Runs a command as clients without SPDY do, by way of `kubectl proxy`. `input`
 * has no end for it: this protocol cannot close the standard input. */
export async function execByWebSocket(
  site: Site,
  pod: string,
  command: readonly string[],
  input = "",
): Promise<ExecResult> {
  const args = ["proxy", "--port=0", "--reject-paths=^/none$"];
  await using proxy = await inBackground(site, args, /127\.0\.0\.1:(\d+)/);
  const query = new URLSearchParams([
    ...command.map((word) => ["command", word] as [string, string]),
    ...["stdout", "stderr", ...(input === "" ? [] : ["stdin"])].map(
      (name) => [name, "true"] as [string, string],
    ),
  ]);
  const url = `ws://127.0.0.1:${proxy.match[1]}/api/v1/namespaces/default/pods/${pod}/exec?${query.toString()}`;
  const socket = new WebSocket(url, ["v4.channel.k8s.io"]);
  socket.binaryType = "arraybuffer";
  const received = new Map<number, Buffer[]>();
  const text = (channel: number): string => Buffer.concat(received.get(channel) ?? []).toString();
  await new Promise<void>((resolve, reject) => {
    const deadline = setTimeout(() => reject(new Error("the WebSocket stays open")), 30_000);
    socket.addEventListener("open", () => {
      for (let at = 0; at < input.length; at += 10_000) {
        const piece = Buffer.from(input.slice(at, at + 10_000));
        socket.send(Buffer.concat([Buffer.from([CHANNELS.stdin]), piece]));
      }
    });
    socket.addEventListener("message", ({ data }) => {
      const frame = Buffer.from(data as ArrayBuffer);
      const channel = frame[0] ?? 0;
      received.set(channel, [...(received.get(channel) ?? []), frame.subarray(1)]);
    });
    socket.addEventListener("error", ({ message }) => reject(new Error(message)));
    socket.addEventListener("close", () => {
      clearTimeout(deadline);
      resolve();
    });
  });
  const { status } = JSON.parse(text(CHANNELS.status)) as { status: string };
  return { stdout: text(CHANNELS.stdout), stderr: text(CHANNELS.stderr), status };
}
