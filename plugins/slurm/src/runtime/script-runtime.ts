import {
  type BatchContainerSpec,
  type BatchRuntime,
  type BatchWord,
  PluginError,
} from "@interlink/plugin-sdk";
import type { Container } from "kubernetes-types/core/v1.js";
import { containerFile, containerPath } from "./container-file.ts";
import { plainWords } from "./plain-words.ts";

/**
 * Fixed, for every pod: DIRECTORY KIND NAME [SCRIPT]. With SCRIPT: runs it, shows what it writes and what the file
 * run-NAME.out in DIRECTORY gets, and ends as it does, or as run-NAME.status says. Without: shows run-NAME.out, and ends as
 * run-NAME.status says, at the latest as the script does.
 */
const RUN_SCRIPT = `#!/bin/bash -p
set -u
cd -- "$1" || exit 1
export SANDBOX=$1 workingPath=$1
kind=$2 name=$3 script=\${4-} shown='' code=''
if [[ $kind == init ]]; then
  printf 'interlink: a script of the site runs this pod, with what this container does if it wants\\n'
  exit 0
fi
if [[ $kind == ephemeral ]]; then
  printf 'interlink: a script of the site runs this pod: there is no container to look at\\n'
  exit 126
fi
show() {
  if [[ -z $shown ]] && { exec 4<"run-$name.out"; } 2>/dev/null; then shown=yes; fi
  if [[ -n $shown ]]; then cat <&4; fi
}
has_ended() {
  code=''
  { IFS= read -r code <"$1"; } 2>/dev/null
  [[ $code =~ ^[0-9]+$ ]] || return 1
  code=$((10#$code > 255 ? 255 : 10#$code))
}
if [[ -z $script ]]; then
  until has_ended "run-$name.status" || has_ended job-script.status; do
    show
    sleep 0.5
  done
  show
  exit "$code"
fi
# Of an earlier attempt.
rm -f -- run-*.out run-*.status init-*.out init-*.status job-script.status
# The script gets the signals itself; this waits for what becomes of it.
trap : TERM INT HUP
IFS= read -r first <"$script"
if [[ $first == '#!'* && $first != '#!'*sh* ]]; then "$script" & else bash "$script" & fi
while kill -0 "$!" 2>/dev/null; do
  show
  sleep 0.5
done
wait "$!"
own=$?
show
printf '%s\\n' "$own" >job-script.new && mv -f -- job-script.new job-script.status
if has_ended "run-$name.status"; then own=$code; fi
exit "$own"
`;

/**
 * The pod by a script that the API server has made for it (`jobScript`), in the place of its containers' command lines. The
 * first container that is no init container is the script: its log is what that writes, its end is the script's. What the
 * script wants to tell of containers it writes to files in `$SANDBOX`, the job's directory, as with the earlier plugin:
 * `run-NAME.out` is a container's output, `run-NAME.status` its exit code. `takesCommands`: what is run inside (exec, probes,
 * hooks) runs on the compute node, beside the script.
 */
export function scriptRuntime(options: {
  script: string;
  /** Name of the container that is the script. */
  owner: string;
  bash: string;
  takesCommands: boolean;
}): BatchRuntime {
  const { script, owner, bash, takesCommands } = options;
  const isOwner = ({ container }: BatchContainerSpec) => container.name === owner;
  return {
    files: (spec) => [
      containerFile(spec, "run-script", RUN_SCRIPT, 0o700),
      ...(isOwner(spec) ? [containerFile(spec, "job-script", script, 0o700)] : []),
    ],
    run: (spec): BatchWord[] => [
      [bash],
      ["-p"],
      [{ podPath: containerPath(spec, "run-script") }],
      [{ jobPath: "" }],
      [spec.kind],
      [spec.container.name],
      ...(isOwner(spec) ? [[{ podPath: containerPath(spec, "job-script") }]] : []),
    ],
    exec: ({ container }, inside): BatchWord[] => {
      if (!takesCommands && asksForCommands(container)) {
        throw new PluginError(
          "rejected",
          "A script of the site runs this pod (jobScript), so probes and hooks cannot run commands in its containers; use httpGet or tcpSocket, or ask the site for AllowShellAnnotations.",
        );
      }
      if (takesCommands) return plainWords(inside);
      const refusal =
        'echo "interlink: a script of the site runs this pod: it has no container to enter" >&2; exit 126';
      return [[bash], ["-p"], ["-c"], [refusal], ["interlink"]];
    },
  };
}

function asksForCommands(container: Container): boolean {
  const { livenessProbe, readinessProbe, startupProbe, lifecycle } = container;
  return [
    livenessProbe,
    readinessProbe,
    startupProbe,
    lifecycle?.postStart,
    lifecycle?.preStop,
  ].some((asked) => asked?.exec !== undefined);
}
