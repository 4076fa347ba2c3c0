import { execFile, execFileSync, spawn } from "node:child_process";

function hasKubectl(): boolean {
  try {
    execFileSync("kubectl", ["version", "--client"], { stdio: "ignore", timeout: 20_000 });
    return true;
  } catch {
    return false;
  }
}

const required = (process.env.INTERLINK_REQUIRE ?? "").split(",").includes("kubectl");

/** Whether tests that need a real kubectl can run; throws where it is required (INTERLINK_REQUIRE=kubectl). */
export function kubectlAvailable(): boolean {
  if (hasKubectl()) return true;
  if (required) throw new Error("kubectl is required (INTERLINK_REQUIRE) but is not on PATH");
  process.stderr.write("SKIPPED: kubectl is not on PATH, the tests that drive it do not run\n");
  return false;
}

export interface Output {
  code: number;
  stdout: string;
  stderr: string;
}

export type Kubectl = (line: string | string[], input?: string) => Promise<Output>;

/** Runs the real kubectl with a kubeconfig file. A line is split at blanks. */
export function kubectlWith(kubeconfig: string): Kubectl {
  return (line, input) =>
    new Promise((resolve) => {
      const args = typeof line === "string" ? line.split(" ") : line;
      const child = execFile(
        "kubectl",
        ["--kubeconfig", kubeconfig, "--cache-dir", `${kubeconfig}.cache`, ...args],
        { timeout: 60_000, maxBuffer: 16 * 1024 * 1024 },
        (error, stdout, stderr) => {
          resolve({ code: error ? Number(error.code ?? 1) : 0, stdout, stderr });
        },
      );
      child.stdin?.end(input ?? "");
    });
}

/** Starts kubectl and waits until its output satisfies; then ends it. */
export function kubectlUntil(
  kubeconfig: string,
  args: string[],
  satisfied: (stdout: string) => boolean,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn("kubectl", ["--kubeconfig", kubeconfig, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    let done = false;
    const deadline = setTimeout(() => child.kill("SIGKILL"), 45_000);
    child.stdout.on("data", (chunk: Buffer) => {
      stdout += chunk.toString("utf8");
      if (!done && satisfied(stdout)) {
        done = true;
        child.kill("SIGTERM");
      }
    });
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk.toString("utf8");
    });
    child.on("close", () => {
      clearTimeout(deadline);
      if (done) resolve(stdout);
      else reject(new Error(`kubectl ${args.join(" ")} never satisfied: ${stdout}${stderr}`));
    });
  });
}
