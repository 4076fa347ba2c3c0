import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { CliError } from "../cli-error.ts";
import type { Output } from "../up/screen.ts";

/** One question of the dialogue. What is asked for becomes a key of the configuration. */
interface Question {
  key: string;
  text: string;
  byDefault?: string;
}

const QUESTIONS: readonly Question[] = [
  { key: "interlink_ip", text: "Name or address at which the cluster reaches the site" },
  { key: "interlink_port", text: "Port of the API server there", byDefault: "3000" },
  {
    key: "plugin",
    text: "What runs the pods there: docker, slurm or process",
    byDefault: "docker",
  },
  { key: "kubelet_node_name", text: "Name of the node in Kubernetes", byDefault: "my-site" },
  { key: "kubernetes_namespace", text: "Namespace that it runs in", byDefault: "interlink" },
  { key: "node_limits.cpu", text: "Processors that it offers", byDefault: "8" },
  { key: "node_limits.memory", text: "Memory that it offers", byDefault: "16Gi" },
  { key: "node_limits.pods", text: "Pods that it takes", byDefault: "100" },
];

/** What is needed of standard input. */
type Answers = Readable & { isTTY?: boolean };

/**
 * Asks for what a configuration file would say, and gives it as one (JSON, which is YAML): wrong answers are found by the
 * same rules. On a terminal a question is asked again while `fault` says in a sentence what is wrong with the configuration so
 * far. Throws `CliError` `usage` when the input ends too soon, and the reason of `signal`.
 */
export async function askForConfig(
  input: Answers,
  output: Output,
  { signal, fault }: { signal: AbortSignal; fault: (text: string) => string | undefined },
): Promise<string> {
  const lines = createInterface({ input, terminal: false, signal });
  const answers = lines[Symbol.asyncIterator]();
  const config: Record<string, unknown> = {};
  try {
    for (let next = 0; next < QUESTIONS.length; ) {
      const { key, text, byDefault } = QUESTIONS[next] as Question;
      output.write(`${text}${byDefault === undefined ? "" : ` [${byDefault}]`}: `);
      const { value, done } = await answers.next();
      signal.throwIfAborted();
      if (done === true) {
        throw new CliError(
          "usage",
          "The answers ended too soon. Answer all questions, or give --config FILE (--init FILE writes one to begin with).",
        );
      }
      const answer = value.trim() || byDefault;
      if (answer !== undefined) put(config, key, key.endsWith("port") ? Number(answer) : answer);
      const wrong = input.isTTY === true ? fault(JSON.stringify(config)) : undefined;
      if (wrong === undefined) next++;
      else output.write(`${wrong}\n`);
    }
  } finally {
    lines.close();
  }
  return JSON.stringify(config, undefined, 2);
}

function put(config: Record<string, unknown>, key: string, value: unknown): void {
  const [first = "", second] = key.split(".");
  if (second === undefined) config[first] = value;
  else config[first] = { ...(config[first] as object | undefined), [second]: value };
}
