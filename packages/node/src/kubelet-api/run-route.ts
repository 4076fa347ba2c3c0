import type { Readable } from "node:stream";
import type { KubeletBackend } from "./backend.ts";
import { KubeletError } from "./kubelet-error.ts";
import { type App, queryOf, sendText } from "./routes.ts";
import { requirePod, requireRunning } from "./streams/stream-target.ts";

const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;

/** `/run`, for old tools: runs a command to its end and answers with its output, both kinds together. */
export function runRoute(app: App, backend: KubeletBackend): void {
  type Target = { namespace: string; pod: string; uid?: string; container: string };
  for (const url of ["/run/:namespace/:pod/:container", "/run/:namespace/:pod/:uid/:container"]) {
    app.post<{ Params: Target }>(url, async (request, reply) => {
      const { namespace, pod: name, uid, container } = request.params;
      const pod = backend.pod(namespace, name);
      requirePod(pod, uid);
      requireRunning(pod, container);
      // At each blank, as it always was; there is no shell and no quoting.
      const command = (queryOf(request).get("cmd") ?? "").split(" ").filter((word) => word !== "");
      if (command.length === 0) throw new KubeletError("bad-request", "you must specify a command");
      backend.requireOffer("exec");
      const left = new AbortController();
      reply.raw.once("close", () => left.abort(new Error("the caller left")));
      const options = { stdin: false, stdout: true, stderr: true, tty: false };
      const streams = await backend.exec(pod, container, command, options, left.signal);
      try {
        const output = await together(streams.stdout, streams.stderr);
        const end = await streams.ended;
        if ("exitCode" in end && end.exitCode === 0) return await sendText(reply, output);
        const how = "error" in end ? end.error : `command exited with ${end.exitCode}`;
        return await sendText(reply.code(500), `${how}: ${output}`);
      } finally {
        streams.close();
      }
    });
  }
}

/** As it comes from both. Throws KubeletError when it is too much to be collected. */
async function together(...streams: (Readable | undefined)[]): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  const collect = async (stream: Readable): Promise<void> => {
    for await (const part of stream as AsyncIterable<Buffer>) {
      parts.push(part);
      size += part.length;
      if (size > MAX_OUTPUT_BYTES) {
        throw new KubeletError("invalid", "the command has too much output; use kubectl exec");
      }
    }
  };
  await Promise.all(streams.filter((one) => one !== undefined).map(collect));
  return Buffer.concat(parts).toString("utf8");
}
