import { buffer } from "node:stream/consumers";
import type { ProcessEnd, ProcessStreams } from "@interlink/protocol";

/** All that a process writes, and how it ends. */
export async function outputOf(
  streams: ProcessStreams,
): Promise<{ stdout: string; stderr: string; end: ProcessEnd }> {
  const { stdout, stderr, ended } = streams;
  const [out, err, end] = await Promise.all([
    stdout === undefined ? "" : buffer(stdout),
    stderr === undefined ? "" : buffer(stderr),
    ended,
  ]);
  return { stdout: out.toString(), stderr: err.toString(), end };
}

/** Collects what comes, for tests that answer to it. */
export function listenTo(stream: ProcessStreams["stdout"]): { readonly text: string } {
  const heard = { text: "" };
  stream?.on("data", (chunk: Buffer) => {
    heard.text += chunk.toString("utf8");
  });
  return heard;
}
