import { KubeletError } from "../kubelet-error.ts";

/** Which streams of a process the client wants. */
export interface CommandOptions {
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
  tty: boolean;
}

/**
 * Reads `input`, `output`, `error` and `tty` of `/exec` and `/attach`: only the value `1` means yes. A terminal has no
 * stderr of its own. Throws KubeletError when nothing is wanted (cri-streaming remotecommand, `NewOptions`).
 */
export function commandOptions(query: URLSearchParams): CommandOptions {
  const flag = (name: string): boolean => query.get(name) === "1";
  const tty = flag("tty");
  const options = {
    stdin: flag("input"),
    stdout: flag("output"),
    stderr: flag("error") && !tty,
    tty,
  };
  if (!options.stdin && !options.stdout && !options.stderr) {
    throw new KubeletError("bad-request", "you must specify at least 1 of stdin, stdout, stderr");
  }
  return options;
}
