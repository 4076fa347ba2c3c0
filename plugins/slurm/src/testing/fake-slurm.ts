import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { SlurmCommands } from "../config/slurm-config.ts";

/**
 * Programs that look like Slurm's and run jobs as processes, in `directory`. For faults that a real Slurm cannot be made
 * to show: `PROGRAM-fault` there is read by that program before it does anything. With a file `hold`, jobs stay queued.
 */
export async function fakeSlurm(directory: string): Promise<SlurmCommands> {
  await mkdir(join(directory, "jobs"), { recursive: true });
  const commands: SlurmCommands = {
    sbatch: join(directory, "sbatch"),
    squeue: join(directory, "squeue"),
    scancel: join(directory, "scancel"),
    scontrol: join(directory, "scontrol"),
    sacct: join(directory, "sacct"),
    sinfo: join(directory, "sinfo"),
    srun: join(directory, "srun"),
  };
  // A later life of the plugin finds them: a job may run one of them just now, and cannot while it is written.
  if (existsSync(join(directory, "apptainer"))) return commands;
  for (const [name, path] of Object.entries(commands)) {
    const text = `#!/bin/bash\nd=${directory}\nif [[ -e $d/${name}-fault ]]; then . "$d/${name}-fault"; fi\n${PROGRAMS[name] ?? ""}`;
    await writeFile(path, text, { mode: 0o755 });
  }
  const apptainer = `#!/bin/bash
# Runs the command without any container: what stands behind the image. Each pull is a line of the file pulls.
if [[ $2 == pull ]]; then
  if [[ -e ${directory}/pull-fault ]]; then . "${directory}/pull-fault"; fi
  printf '%s\\n' "$5" >>"${directory}/pulls"
  echo image >"$4"
  exit
fi
if [[ $1 == sif ]]; then exit; fi
while [[ $1 != *.sif ]]; do shift; done
shift
for name in $(compgen -e | grep ^APPTAINERENV_); do export "\${name#APPTAINERENV_}=\${!name}"; done
exec "$@"
`;
  await writeFile(join(directory, "apptainer"), apptainer, { mode: 0o755 });
  return commands;
}

const PROGRAMS: Readonly<Record<string, string>> = {
  sbatch: `
comment='' output=/dev/null held=''
while [[ $1 == -* ]]; do
  case $1 in
    --comment=*) comment=\${1#*=} ;;
    --output=*) output=\${1#*=} ;;
    --hold) held=1 ;;
  esac
  shift
done
exec 9>"$d/lock"
flock 9
id=$(($(cat "$d/last" 2>/dev/null || echo 100) + 1))
echo "$id" >"$d/last"
exec 9>&-
job=$d/jobs/$id
mkdir "$job"
cp -- "$1" "$job/script"
shift
printf '%s' "$comment" >"$job/comment"
if [[ $held ]]; then touch "$job/held"; fi
echo PENDING >"$job/state"
(
  while [[ (-e $d/hold || -e $job/held) && ! -e $job/cancelled ]]; do sleep 0.05; done
  if [[ ! -e $job/cancelled ]]; then
    date +%s >"$job/start"
    echo RUNNING >"$job/state"
    SLURM_JOB_ID=$id setsid bash -p "$job/script" "$@" >>"$output" 2>&1 &
    echo $! >"$job/pid"
    wait $!
    code=$?
  fi
  date +%s >"$job/end"
  if [[ -e $job/as ]]; then cp "$job/as" "$job/state"
  elif [[ -e $job/cancelled ]]; then echo CANCELLED >"$job/state"
  elif ((code == 0)); then echo COMPLETED >"$job/state"
  else echo FAILED >"$job/state"; fi
) </dev/null >/dev/null 2>&1 &
if [[ -e $d/sbatch-after ]]; then . "$d/sbatch-after"; fi
echo "$id"
`,
  squeue: `
for word; do case $word in --format=*) mark=\${word#*=}; mark=\${mark%%|*} ;; esac; done
for job in "$d"/jobs/*; do
  [[ -e $job/state ]] || continue
  printf '%s|%s|%s|%s|%s|%s|%s|%s\\n' "$mark" "\${job##*/}" "$(<"$job/state")" None \\
    "$(cat "$job/start" 2>/dev/null || echo N/A)" "$(cat "$job/end" 2>/dev/null || echo N/A)" here "$(<"$job/comment")"
done
`,
  scancel: `
printf '%s\\n' "$*" >>"$d/scancels"
for id; do :; done
job=$d/jobs/$id
[[ -d $job ]] || { echo "scancel: error: Kill job error on job id $id: Invalid job id specified" >&2; exit 1; }
case $1 in
  --state=PENDING) if [[ $(<"$job/state") == PENDING ]]; then touch "$job/cancelled"; fi ;;
  --batch) kill -s "\${2#*=}" "$(<"$job/pid")" ;;
  *)
    touch "$job/cancelled"
    if [[ -e $job/pid ]]; then kill -TERM "$(<"$job/pid")" 2>/dev/null; fi
    ;;
esac
exit 0
`,
  scontrol: `
case "$1 $2" in
  "show config") printf 'KillWait                = 30 sec\\nSLURM_VERSION           = 22.05.8\\n' ;;
  release*)
    job=$d/jobs/$2
    [[ -e $job/held ]] || { echo "Job is no longer pending execution for job $2" >&2; exit 1; }
    rm "$job/held"
    ;;
  "show job")
    job=$d/jobs/$3
    [[ -e $job/state ]] || { echo "slurm_load_jobs error: Invalid job id specified" >&2; exit 1; }
    printf 'JobId=%s JobName=x\\n   JobState=%s Reason=None Dependency=(null)\\n' "$3" "$(<"$job/state")"
    ;;
esac
`,
  sacct: "exit 1\n",
  srun: `
while [[ $1 == --* ]]; do shift; done
exec "$@"
`,
  sinfo: "echo 'n1|debug|up|idle|64|8000|gpu:2'\n",
};
