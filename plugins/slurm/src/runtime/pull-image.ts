import {
  type BatchContainerSpec,
  type BatchFile,
  type BatchWord,
  pullPolicy,
} from "@interlink/plugin-sdk";
import { containerFile, containerPath } from "./container-file.ts";
import { imageFile } from "./image-reference.ts";
import { plainWords } from "./plain-words.ts";

const SCRIPT_FILE = "pull-image";

/**
 * Fixed, for every pod; what differs comes as arguments: LINK POLICY DIRECTORY FILE N COMMAND... IMAGE.
 *
 * Has COMMAND, with a file and IMAGE behind it, make FILE in DIRECTORY (below the home of the job's user if that is empty)
 * unless it is there, one job at a time, and makes LINK lead to it; with no LINK, where the plugin runs, FILE is for all
 * users. The image's working directory goes to LINK.workdir: Apptainer and Singularity keep the image's own settings as a
 * part of FILE, and the first N words of COMMAND (0: none) are what shows it.
 */
export const PULL_SCRIPT = `#!/bin/bash -p
set -u
link=$1 policy=$2 directory=$3 file=$4 program=$5
shift 5
if [[ -z $directory ]]; then
  directory=\${XDG_CACHE_HOME:-\${HOME:?the job has no HOME}/.cache}/interlink/images
fi
if [[ -n $link ]]; then umask 077; else umask 022; fi
mkdir -p -- "$directory" \${link:+"\${link%/*}"} || exit 1
target=$directory/$file
if [[ $policy == Never && ! -s $target ]]; then
  printf 'image is not present in %s, and its pull policy is Never\\n' "$directory"
  exit 1
fi
if [[ -n \${INTERLINK_PROXY-} ]]; then
  # The job's tunnel. Go's programs make connections themselves, so only a proxy's name brings them there.
  if ((program > 0)); then proxy=socks5://$INTERLINK_PROXY; else proxy=socks5h://$INTERLINK_PROXY; fi
  export {HTTP,HTTPS,ALL}_PROXY="$proxy" {http,https,all}_proxy="$proxy" {NO_PROXY,no_proxy}="\${INTERLINK_NO_PROXY-}"
fi
if [[ $policy == Always || ! -s $target ]]; then
  exec 9>"$target.lock"
  if command -v flock >/dev/null; then flock 9 || exit 1; fi
  if [[ $policy == Always || ! -s $target ]]; then
    fresh=$directory/.$$-\${RANDOM}-$file
    trap 'rm -f -- "$fresh"' EXIT
    # The image comes last, behind the file.
    image=\${*: -1}
    set -- "\${@:1:$#-1}"
    "$@" "$fresh" "$image" 9>&- || exit 1
    mv -f -- "$fresh" "$target" || exit 1
  fi
fi
[[ -n $link ]] || exit 0
ln -sfn -- "$target" "$link"
((program > 0)) || exit 0
workdir=/
tool=("\${@:1:program}")
string='"WorkingDir": *"([^"\\\\]+)"'
while IFS='|' read -r id _ _ _ kind; do
  [[ $kind == *JSON* ]] || continue
  settings=$("\${tool[@]}" sif dump "\${id%% *}" "$target" 2>/dev/null | tr -d '\\n\\0')
  if [[ $settings != *'"attributes"'* && $settings =~ $string ]]; then workdir=\${BASH_REMATCH[1]}; fi
done < <("\${tool[@]}" sif list "$target" 2>/dev/null)
printf '%s\n' "$workdir" >"$link.workdir"
`;

/** Where the image of this pod is found once it was pulled; relative to the pod's directory. */
export function pulledImage(reference: string, extension: "sif" | "sqsh"): string {
  return `images/${imageFile(reference, extension)}`;
}

/** Where its working directory is told, in one line. */
export function pulledDirectory(reference: string, extension: "sif" | "sqsh"): string {
  return `${pulledImage(reference, extension)}.workdir`;
}

/** The script as a file of the container. */
export function pullFile(spec: BatchContainerSpec): BatchFile {
  return containerFile(spec, SCRIPT_FILE, PULL_SCRIPT);
}

/** The command line that pulls the image with `command`, behind which the file and the image are put. */
export function pullWords(options: {
  spec: BatchContainerSpec;
  reference: string;
  extension: "sif" | "sqsh";
  /** Absolute; `undefined`: below the job user's home. */
  cache: string | undefined;
  bash: string;
  command: readonly string[];
  /** As the command is told the image. */
  image: string;
  /** It was pulled where the plugin runs, before the job. */
  isThere: boolean;
  /** How many of the command's first words are the program, if that can show the image's working directory. */
  program?: number;
}): BatchWord[] {
  const { spec, reference, extension, cache = "", bash, command, image, program = 0 } = options;
  const { isThere } = options;
  const { container } = spec;
  return [
    [bash],
    ["-p"],
    [{ podPath: containerPath(spec, SCRIPT_FILE) }],
    [{ podPath: pulledImage(reference, extension) }],
    [isThere ? "Never" : pullPolicy(container.image ?? "", container.imagePullPolicy)],
    [cache],
    [imageFile(reference, extension)],
    [String(program)],
    ...plainWords(command),
    [image],
  ];
}
