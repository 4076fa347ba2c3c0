/** How the virtual node brings the pod's network (`FullMesh`) in the annotation `slurm-job.vk.io/pre-exec`. */
const BEGIN = "cat <<'EOFMESH' > $TMPDIR/mesh.sh\n";
const END = "\nEOFMESH";

/** Where the process of the job's script is told that runs in the mesh, so that signals reach it. */
const PID_FILE = "mesh-pid";

/**
 * Takes the script that makes a pod's network out of the shell text that only writes it down. The script is given a
 * command and runs that in the network; nobody else starts it. What stands behind it may be glued to its end.
 */
export function splitMesh(text: string): { mesh?: string; rest: string } {
  const begin = text.indexOf(BEGIN);
  const end = begin < 0 ? -1 : text.indexOf(END, begin + BEGIN.length - 1);
  if (end < 0) return { rest: text };
  return {
    mesh: `${text.slice(begin + BEGIN.length, end)}\n`,
    rest: `${text.slice(0, begin)}${text.slice(end + END.length)}`,
  };
}

/**
 * Lines of a job's script behind which only that runs which is in the mesh: the script runs itself once more there, and
 * hands on the signals that it gets itself. `before`: lines that come first, once.
 */
export function inMesh(mesh: string, before: readonly string[]): string[] {
  const text = Buffer.from(mesh).toString("base64");
  return [
    "if [[ -z ${INTERLINK_IN_MESH-} ]]; then",
    ...before,
    "il_to_mesh() {",
    "  local il_pid=''",
    `  { IFS= read -r il_pid <"$1/${PID_FILE}"; } 2>/dev/null`,
    '  if [[ -n $il_pid ]]; then kill -s "$2" "$il_pid"; elif [[ $2 != URG ]]; then kill -s "$2" -- "-$il_mesh"; fi',
    "}",
    "if [[ -z ${il_refused-} ]]; then",
    `  rm -f -- "$1/${PID_FILE}"`,
    '  if [[ -z ${TMPDIR-} ]]; then export TMPDIR=$1/mesh; mkdir -p -- "$TMPDIR"; fi',
    `  (umask 077 && base64 -d <<<'${text}' >"$1/mesh.sh") && chmod 700 -- "$1/mesh.sh"`,
    "  set -m",
    '  INTERLINK_IN_MESH=1 "$1/mesh.sh" "$BASH" -p "$0" "$@" </dev/null &',
    "  il_mesh=$!",
    "  set +m",
    ...["TERM", "INT", "HUP", "URG"].map(
      (signal) => `  trap 'il_to_mesh "$1" ${signal}' ${signal}`,
    ),
    '  while kill -0 "$il_mesh" 2>/dev/null; do wait "$il_mesh"; done',
    '  wait "$il_mesh"',
    "  il_code=$?",
    '  kill -KILL -- "-$il_mesh" 2>/dev/null',
    '  exit "$il_code"',
    "fi",
    "fi",
    "unset INTERLINK_IN_MESH",
    // As the machine counts processes, whatever the mesh makes of that.
    `IFS=' ' read -r il_pid _ </proc/self/stat && printf '%s\\n' "$il_pid" >"$1/${PID_FILE}"`,
  ];
}
