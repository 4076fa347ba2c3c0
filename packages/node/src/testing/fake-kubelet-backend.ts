import { PassThrough } from "node:stream";
import type { ProcessEnd, ProcessStreams, TerminalSize } from "@interlink/protocol";
import type { KubeletBackend } from "../kubelet-api/backend.ts";
import { KubeletError } from "../kubelet-api/kubelet-error.ts";
import type { CommandOptions } from "../kubelet-api/streams/command-options.ts";

/** Of a site that offers nothing beyond the base protocol. */
export const noStreams: Pick<
  KubeletBackend,
  "requireOffer" | "exec" | "attach" | "portForward" | "stats"
> = {
  requireOffer(feature) {
    throw new KubeletError("not-implemented", `this test does not offer ${feature}`);
  },
  exec: () => Promise.reject(new Error("not offered")),
  attach: () => Promise.reject(new Error("not offered")),
  portForward: () => Promise.reject(new Error("not offered")),
  stats: () => Promise.resolve(undefined),
};

/** A process whose other side the test plays. */
export class FakeProcess implements ProcessStreams {
  readonly stdin?: PassThrough;
  readonly stdout?: PassThrough;
  readonly stderr?: PassThrough;
  readonly sizes: TerminalSize[] = [];
  readonly ended: Promise<ProcessEnd>;
  closed = false;
  #end: (end: ProcessEnd) => void = () => undefined;

  constructor({ stdin, stdout, stderr }: CommandOptions) {
    if (stdin) this.stdin = new PassThrough();
    if (stdout) this.stdout = new PassThrough();
    if (stderr) this.stderr = new PassThrough();
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  resize(size: TerminalSize): void {
    this.sizes.push(size);
  }

  /** Writes the last of its output and ends. */
  end(end: ProcessEnd, output = "", errors = ""): void {
    this.stdout?.end(output);
    this.stderr?.end(errors);
    this.#end(end);
  }

  close(): void {
    this.closed = true;
    for (const stream of [this.stdin, this.stdout, this.stderr]) stream?.destroy();
  }
}
