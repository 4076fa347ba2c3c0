import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable } from "node:stream";

export interface KubectlResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** A real kubectl against one cluster. */
export class Kubectl {
  readonly #kubeconfig: string;

  constructor(kubeconfig: string) {
    this.#kubeconfig = kubeconfig;
  }

  /** Runs kubectl; rejects with what it printed when it fails. */
  async run(args: readonly string[], options: KubectlOptions = {}): Promise<string> {
    const result = await this.try(args, options);
    if (result.code !== 0) {
      throw new Error(`kubectl ${args.join(" ")} ended with ${result.code}: ${result.stderr}`);
    }
    return result.stdout;
  }

  async json<T>(args: readonly string[]): Promise<T> {
    return JSON.parse(await this.run([...args, "-o", "json"])) as T;
  }

  /** Starts a kubectl that runs until it is killed, for instance with `--watch`. */
  start(args: readonly string[]): ChildProcessByStdio<null, Readable, Readable> {
    return spawn("kubectl", ["--kubeconfig", this.#kubeconfig, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, KUBECONFIG: this.#kubeconfig },
    });
  }

  /** Runs kubectl and gives what came of it, whatever that is. */
  try(args: readonly string[], { input = "", timeoutMs = 60_000 }: KubectlOptions = {}) {
    return new Promise<KubectlResult>((resolve, reject) => {
      const child = spawn("kubectl", ["--kubeconfig", this.#kubeconfig, ...args], {
        signal: AbortSignal.timeout(timeoutMs),
        stdio: ["pipe", "pipe", "pipe"],
        env: { ...process.env, KUBECONFIG: this.#kubeconfig },
      });
      let stdout = "";
      let stderr = "";
      child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
      child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
      child.on("error", (error) =>
        reject(new Error(`kubectl ${args.join(" ")}: ${error.message}`, { cause: error })),
      );
      child.on("close", (code) => resolve({ code: code ?? -1, stdout, stderr }));
      child.stdin.on("error", () => {});
      child.stdin.end(input);
    });
  }
}

export interface KubectlOptions {
  input?: string;
  timeoutMs?: number;
}
