#!/bin/bash
# Runs one container's command and leaves a record of its end, whatever becomes of the plugin that started it.
#
# usage: bash -p run-container.sh DIRECTORY [LAUNCHER...]
#
# DIRECTORY holds `argv` (the command, NUL-separated) and gets, each written in one go and complete once it ends with a
# newline:
#   claim    "PID START"            this process; whoever makes it first runs the command, all others leave
#   started  "PID START TIME"       the command
#   exit     "CODE TIME TIME"       exit code (128+n for signal n), start and end in seconds since the epoch
# START is the start time in /proc/PID/stat, which tells a reused pid. LAUNCHER words come before the command.
#
# If there is a pipe `stdin` in DIRECTORY, it is what the command reads; else it reads nothing.
#
# The environment is the container's own. `bash -p` keeps it from steering this script, and all names here begin with
# __il_ so that none of its variables is changed. Runs with bash 4.2 and later; forks once.
set -u -f -C
__il_directory=$1
shift

# What bash itself has to say does not belong into the container's log.
exec 3>&2 2>/dev/null

# Sets __il_start to the start time of a process; 0 if it has gone.
__il_start_of() {
  local __il_stat=''
  __il_start=0
  IFS= read -r __il_stat <"/proc/$1/stat" || return 0
  # The name, in brackets, may hold anything; what follows is split at blanks. No here-string: it may need a file.
  # shellcheck disable=SC2086
  set -- ${__il_stat##*) }
  __il_start=${20:-0}
}

# Sets __il_now to the time in seconds with a fraction.
__il_set_now() {
  if [[ ${EPOCHREALTIME-} == [0-9]* ]]; then
    __il_now=$EPOCHREALTIME
  else
    __il_now=$(PATH=/usr/bin:/bin date +%s.%N)
  fi
}

__il_start_of "$$"
printf '%s %s\n' "$$" "$__il_start" >"$__il_directory/claim" || exit 0

__il_argv=()
while IFS= read -r -d '' __il_word; do
  __il_argv+=("$__il_word")
done <"$__il_directory/argv"

# Held open for writing as well, so that it has no end when a writer leaves.
if [[ -p $__il_directory/stdin ]]; then
  exec 4<>"$__il_directory/stdin"
else
  exec 4</dev/null
fi

# Its own process group, so that what it leaves behind can be killed without killing this script. Only for the
# fork: with job control on, `wait` would take a halt (SIGSTOP) for the end.
set -m
__il_set_now
__il_began=$__il_now
(
  # Bash's own additions to the environment.
  unset SHLVL PWD OLDPWD
  exec 0<&4 2>&3 3>&- 4<&-
  exec -- "$@" "${__il_argv[@]}"
) </dev/null &
__il_pid=$!
set +m
exec 3>&- 4<&- >/dev/null

__il_start_of "$__il_pid"
printf '%s %s %s\n' "$__il_pid" "$__il_start" "$__il_began" >"$__il_directory/started"

wait "$__il_pid"
__il_code=$?
__il_set_now

# As in a container, nothing outlives the first process.
kill -KILL -- "-$__il_pid"
printf '%s %s %s\n' "$__il_code" "$__il_began" "$__il_now" >"$__il_directory/exit"
