#!/bin/bash -p
# Runs one pod as a batch job: init containers in order, sidecars, containers side by side, restarts, probes, hooks and
# the end, and writes down what happens. What is run is data; nothing of it is ever read as shell text.
#
# usage: bash -p batch-pod.sh DIRECTORY
# On the same machine, for container NAME, which runs:
#        bash -p batch-pod.sh DIRECTORY exec NAME COMMAND...
#        bash -p batch-pod.sh DIRECTORY terminal NAME ROWS:COLUMNS COMMAND...   with a terminal; stdin: frames of console.pl
#        bash -p batch-pod.sh DIRECTORY input NAME                              stdin: frames, handed to its input
# What holds terminals and inputs is DIRECTORY/console.pl, and perl.
# Where the file system is shared, anywhere on it, as the job's user, before the job and while it runs:
#        bash -p batch-pod.sh DIRECTORY update VERSION    stdin: all files of the pod as it is now, see il_update
#
# DIRECTORY, of the job's user, gets
#   records              one line for each thing that has happened, see il_record
#   logs/NAME-N.log      output of attempt N of container NAME
#   containers/NAME/N/   files of that attempt, e.g. its termination-log
#   usage                what containers use, written anew once DIRECTORY/usage-wanted is newer
# What is to be run is in DIRECTORY/spec and DIRECTORY/trees; or, if DIRECTORY has no spec, behind the last line of this
# file, and is then unpacked into a directory of its own in $TMPDIR, to which DIRECTORY/unpacked is a link.
#   spec/pod.settings        NUL-separated keys and values; those of container I begin with "I."
#   spec/NAME/run …      command lines, see il_read_words
#   spec/NAME/env        the container's environment, NAME=value with a NUL behind each
#   trees/VOLUME         files of a volume, which the script gives their place, see il_place
# An update brings other directories in the place of spec: the first line of DIRECTORY/update names the one that counts for
# containers that start from now on. SIGURG says that there is one; without, it is seen within ten seconds.
#
# SIGTERM ends the pod: preStop hooks, stop signal to each container's process group, SIGKILL when the grace is over. The
# grace is the pod's, or that in DIRECTORY/grace (seconds). A later SIGTERM may shorten it.
#
# One loop decides; whatever takes time runs beside it and tells its end through a pipe. States of a container:
#   idle -> preparing (its image) -> idle -> starting -> running -> exited -> (back-off) -> starting …
# Steps of stopping one that runs: "" -> hook (preStop) -> turn (a sidecar waits for the others) -> sent -> killed.
#
# Needs bash 4.2 and coreutils. All names begin with il_ so that none of the job's environment is changed.
#
# shellcheck disable=SC2317 # Functions are called by il_start_beside.
set -u -f
# Whatever shell text a site has put before this.
set +abehkvxBCHP +o pipefail +o posix
shopt -u nocasematch extglob
IFS=$' \t\n'
exec 6>&2

il_directory=${1:?"usage: batch-pod.sh DIRECTORY"}
if [[ $il_directory != /* ]]; then il_directory=$PWD/$il_directory; fi
il_script=${BASH_SOURCE[0]}
il_asked=0
if (($# == 1)); then
  trap 'il_asked=1; printf "asked\n" >&7' TERM INT HUP
  # Ignored by whoever does not know it: one that comes too early or too late does no harm.
  trap 'printf "asked\n" >&7' URG
fi
# Older bash runs traps only when a read is over, so it must not read for long.
il_longest=10000
if ((BASH_VERSINFO[0] < 5)); then il_longest=1000; fi

# Bytes are bytes. Containers get back what the job had.
il_had_locale=${LC_ALL+yes}
il_locale=${LC_ALL-}
il_mask=$(umask)
LC_ALL=C
umask 077

declare -A il_set=()
il_names=()
il_records=$il_directory/records
il_unwritten=''

il_say() {
  printf 'interlink: %s\n' "$1" >&6
}

# Tools are the machine's, whatever PATH the job has.
il_tool() {
  local PATH=/usr/bin:/bin:/usr/sbin:/sbin:$PATH
  "$@"
}

# ---------------------------------------------------------------------------------------------------- time, records

# Sets il_now to milliseconds, and il_seconds to seconds with a fraction, since the epoch. Without a fork.
il_set_now() {
  if [[ ${EPOCHREALTIME-} == *[.,]* ]]; then
    il_seconds=${EPOCHREALTIME/,/.}
    il_now=$((${il_seconds%.*} * 1000 + 10#${il_seconds#*.} / 1000))
  else
    printf -v il_seconds '%(%s)T' -1
    il_now=$((il_seconds * 1000))
  fi
}

# The loop looks again no later than at $1.
il_wake_at() {
  if (($1 < il_wake)); then il_wake=$1; fi
}

# Writes "TIME WORD..." to the records. What a full disk does not take is written again later, on a line of its own.
il_record() {
  il_set_now
  il_unwritten+="$il_seconds $*"$'\n'
  il_flush
}

il_flush() {
  [[ -n $il_unwritten ]] || return 0
  if { printf '%s' "$il_unwritten" >>"$il_records"; } 2>/dev/null; then
    il_unwritten=''
  elif [[ $il_unwritten != $'\n'* ]]; then
    il_unwritten=$'\n'$il_unwritten
  fi
}

# Waits for a full disk, but not for ever: the job's exit code then says the rest.
il_flush_all() {
  local il_tries
  for ((il_tries = 0; il_tries < 60 && ${#il_unwritten} > 0; il_tries++)); do
    il_tool sleep 1
    il_flush
  done
}

# Sets il_encoded to what stdin holds, in base64; "-" for nothing.
il_encode() {
  il_encoded=$(il_tool base64 -w0 2>/dev/null)
  il_encoded=${il_encoded:--}
}

# ----------------------------------------------------------------------------------------------------------- input

# Writes the files that stdin tells of below directory $1: lines MODE PATH CONTENT, path and content in base64. If $2 is
# "ended", the last line is "#end", without which it was cut off.
il_unpack_files() {
  local il_line il_mode il_path il_content
  while IFS= read -r il_line || [[ -n $il_line ]]; do
    if [[ $il_line == '#end' ]]; then return 0; fi
    il_mode=${il_line%% *}
    il_line=${il_line#* }
    il_content=${il_line#* }
    # What stands behind the path keeps a newline at its end from being taken away.
    il_path=$(printf '%s' "${il_line%% *}" | il_tool base64 -d && printf '/') || return 1
    il_path=$1/${il_path%/}
    if [[ ! -d ${il_path%/*} ]]; then
      (umask 022 && il_tool mkdir -p -- "${il_path%/*}") || return 1
    fi
    printf '%s' "$il_content" | il_tool base64 -d >"$il_path" || return 1
    il_tool chmod -- "$il_mode" "$il_path" || return 1
  done
  [[ ${2-} != ended ]]
}

# Writes the files behind the last line of this script to a directory of their own.
il_unpack() {
  local il_line
  il_data=$(il_tool mktemp -d "${TMPDIR:-/tmp}/interlink-pod.XXXXXXXXXX") || return 1
  if [[ $il_data != /* ]]; then il_data=$PWD/$il_data; fi
  il_unpacked=$il_data
  while IFS= read -r il_line; do
    [[ $il_line == '#interlink-files' ]] || continue
    il_unpack_files "$il_data"
    return
  done <"$il_script"
  return 1
}

# Sets il_newest to the directory of what containers that start now are made of.
il_find_newest() {
  local il_word=''
  if [[ -f $il_data/update ]]; then IFS= read -r il_word <"$il_data/update"; fi 2>/dev/null
  if [[ $il_word =~ ^spec-[0-9A-Za-z-]+$ && -f $il_data/$il_word/pod.settings ]]; then il_newest=$il_word; fi
}

il_read_settings() {
  local il_key il_value il_index
  il_set=()
  il_names=()
  while IFS= read -r -d '' il_key && IFS= read -r -d '' il_value; do
    il_set[$il_key]=$il_value
  done <"$il_data/$il_newest/pod.settings"
  for ((il_index = 0; il_index < il_set[containers]; il_index++)); do
    il_names+=("${il_set[$il_index.name]}")
  done
}

# Reads words from file $1 into il_argv. It is NUL-separated: parts of words, told apart by their first letter, and ";"
# behind each word. t: text; p: path of the pod's; f: the first line of that file; d: path in DIRECTORY; a: path of the attempt's; n: the attempt's number; i: its process id;
# c: what follows is the command inside, so il_inner words stand before it.
il_read_words() {
  local il_part il_line il_word=''
  il_argv=()
  il_inner=0
  while IFS= read -r -d '' il_part; do
    case $il_part in
      t*) il_word+=${il_part#t} ;;
      pspec/*) il_word+=$il_spec/${il_part#pspec/} ;;
      p*) il_word+=$il_data/${il_part#p} ;;
      f*)
        il_line=''
        IFS= read -r il_line 2>/dev/null <"$il_data/${il_part#f}"
        il_word+=$il_line
        ;;
      d*) il_word+=$il_directory/${il_part#d} ;;
      a*) il_word+=$il_attempt_directory/${il_part#a} ;;
      n) il_word+=$il_attempt ;;
      i) il_word+=${il_pid_of[$il_index]-} ;;
      c) il_inner=${#il_argv[@]} ;;
      ';')
        il_argv+=("$il_word")
        il_word=''
        ;;
    esac
  done <"$1"
  ((${#il_argv[@]}))
}

# Says which attempt of which container the functions below are about, and where what it is made of is.
il_about() {
  il_index=$1
  il_attempt=$2
  il_spec=$il_data/${il_spec_of[il_index]}
  il_name=${il_names[il_index]}
  il_attempt_directory=$il_directory/containers/$il_name/$il_attempt
}

# ----------------------------------------------------------------------------------------- beside the loop: commands

# Whether bash can set this variable without being changed by it.
il_can_export() {
  [[ $1 =~ ^[A-Za-z_][A-Za-z0-9_]*$ ]] || return 1
  case $1 in
    _ | BASH* | COMP_* | DIRSTACK | EPOCH* | EUID | FUNCNAME | GROUPS | HIST* | IFS | LANG | LC_* | LINENO | OLDPWD) return 1 ;;
    OPT* | PATH | POSIXLY_CORRECT | PPID | PWD | RANDOM | SECONDS | SHELLOPTS | SHLVL | SRANDOM | TZ | UID | il_*) return 1 ;;
  esac
}

# Sets il_tool_path to where program $1 of this machine is.
il_find_tool() {
  il_tool_path=$(PATH=/usr/bin:/bin:/usr/sbin:/sbin:$PATH && type -P -- "$1")
}

# Sets il_words to a beginning of a command line that sets these variables (NAME=value), whatever their names; $1: options
# of env(1). As values must not be seen in the process list, it takes them from its own environment, which coreutils 8.30
# can; older ones get them as words if $2 is "old", else this fails.
il_plan_variables() {
  local il_variable il_plain il_text=$1 il_count=0 il_unset='' il_backslash=\\
  il_find_tool env || return 1
  il_words=("$il_tool_path")
  if ! "$il_tool_path" -S true 2>/dev/null; then
    [[ $2 == old ]] || return 1
    il_words+=(-- "${@:3}")
    return 0
  fi
  for il_variable in "${@:3}"; do
    il_plain=${il_variable%%=*}
    il_plain=${il_plain//"$il_backslash"/"$il_backslash$il_backslash"}
    il_plain=${il_plain//"'"/"$il_backslash'"}
    export "il_value_$il_count=${il_variable#*=}"
    il_unset+=" -u il_value_$il_count"
    il_text+=" '$il_plain='\${il_value_$il_count}"
    il_count=$((il_count + 1))
  done
  if [[ $1 == -i* ]]; then il_unset=''; fi
  il_words+=(-S "${il_unset# } $il_text")
}

# What comes last before another program takes this shell's place.
il_let_go() {
  umask "$il_mask"
  exec 6>&- 7>&- 8>&- 9<&-
  if [[ -n $il_had_locale ]]; then LC_ALL=$il_locale; else unset LC_ALL; fi
}

# Becomes the command in il_argv behind the words in il_front, with the container's environment if its runtime wants that
# and $1 is not "plain". If it cannot, this shell ends.
il_become() {
  local il_variable il_prefix il_exported=() il_around=() il_words=()
  if [[ -n ${il_set[$il_index.exports]-} && ${1-} != plain ]]; then
    il_prefix=${il_set[$il_index.prefix]}
    while IFS= read -r -d '' il_variable; do
      il_variable=$il_prefix$il_variable
      if il_can_export "${il_variable%%=*}"; then il_exported+=("$il_variable"); else il_around+=("$il_variable"); fi
    done <"$il_spec/$il_name/env"
  fi
  if ((${#il_around[@]})); then
    # env(1) would take a command with "=" in its name for a variable.
    if [[ ${il_argv[0]} == *=* ]]; then il_argv=(nice -n 0 -- "${il_argv[@]}"); fi
    il_plan_variables -- old "${il_around[@]}"
    il_argv=("${il_words[@]}" "${il_argv[@]}")
  fi
  if ((${#il_front[@]})); then il_argv=("${il_front[@]}" "${il_argv[@]}"); fi
  il_let_go
  if ((${#il_exported[@]})); then export "${il_exported[@]}"; fi
  exec -- "${il_argv[@]}"
}

# Sets il_tree to process $1 and all that it has started, parents first.
il_find_tree() {
  local il_at il_file il_children
  il_tree=("$1")
  set +f
  for ((il_at = 0; il_at < ${#il_tree[@]}; il_at++)); do
    for il_file in "/proc/${il_tree[il_at]}/task/"*/children; do
      il_children=''
      read -r il_children 2>/dev/null <"$il_file"
      # shellcheck disable=SC2206 # Numbers.
      il_tree+=($il_children)
    done
  done
  set -f
}

# Sets il_first to the first process of the container whose command line is process $1: the one that has number 1 in a
# namespace of its own. Fails if there is none, or it has not begun yet.
il_find_first() {
  local il_process il_key il_numbers
  il_first=''
  il_find_tree "$1"
  for il_process in "${il_tree[@]}"; do
    while read -r il_key il_numbers; do
      [[ $il_key == NSpid: ]] || continue
      if [[ $il_numbers == *[[:blank:]]1 ]]; then il_first=$il_process; fi
      break
    done 2>/dev/null <"/proc/$il_process/status"
    [[ -z $il_first ]] || break
  done
  [[ -n $il_first ]] || return 1
  # Apptainer and Singularity are themselves in the namespace until they become the command.
  case $(il_tool readlink -- "/proc/$il_first/exe" 2>/dev/null) in
    '' | */starter | */starter-suid) return 1 ;;
  esac
}

# Finds out whether the command in il_argv can be started in container il_index itself. That takes a user namespace of
# its own, which its owner may enter. Sets il_first, il_kinds (of namespaces), and il_enter, the words that do it.
il_can_enter() {
  local il_tries il_own il_theirs il_file il_kind
  ((il_inner > 0)) && [[ -n ${il_set[$il_index.enter]-} ]] || return 1
  il_find_tool nsenter || return 1
  il_enter=("$il_tool_path")
  for ((il_tries = 0; il_tries < 50; il_tries++)); do
    if il_find_first "${il_pid_of[il_index]}"; then break; fi
    kill -0 "${il_pid_of[il_index]}" 2>/dev/null || return 1
    il_tool sleep 0.1
  done
  [[ -n $il_first ]] || return 1
  il_kinds=''
  for il_kind in user mnt ipc cgroup net uts pid; do
    il_file=/proc/$il_first/ns/$il_kind
    il_own=$(il_tool readlink -- "/proc/self/ns/$il_kind") || continue
    il_theirs=$(il_tool readlink -- "$il_file") || return 1
    if [[ $il_own != "$il_theirs" ]]; then
      il_kinds+=${il_kinds:+,}$il_kind
      il_enter+=("--$il_kind=$il_file")
    elif [[ $il_kind == user ]] && ((EUID != 0)); then return 1; fi
  done 2>/dev/null
  il_enter=("${il_enter[@]/#--mnt=/--mount=}")
  il_enter+=(--preserve-credentials "--root=/proc/$il_first/root" "--wd=/proc/$il_first/cwd" --)
}

# Becomes the command in il_argv inside container il_index: in the container itself where that can be entered, with the
# environment of its first process; else as its runtime does that. $1: variable to begin with.
il_become_inside() {
  local il_variable il_words=() il_variables=()
  if ! il_can_enter; then
    if [[ -n ${1-} ]]; then export "${1?}"; fi
    il_become
  fi
  if [[ -n ${1-} ]]; then il_variables+=("$1"); fi
  il_variables+=(PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)
  # Programs may have written over it; then the pod's own variables are what counts.
  while IFS= read -r -d '' il_variable; do
    if [[ $il_variable == [!=]*=* ]]; then il_variables+=("$il_variable"); fi
  done 2>/dev/null <"/proc/$il_first/environ"
  while IFS= read -r -d '' il_variable; do il_variables+=("$il_variable"); done <"$il_spec/$il_name/env"
  if ((${#il_front[@]})); then
    il_front[2]=into:${il_front[2]#tty:}:$il_first:$il_kinds
    exec 3< <(printf '%s\0' "${il_variables[@]}")
    il_argv=("${il_front[@]}" "${il_argv[@]:il_inner}")
  else
    if ! il_plan_variables "-i --" new "${il_variables[@]}"; then il_become; fi
    il_argv=("${il_words[@]}" "${il_enter[@]}" "${il_argv[@]:il_inner}")
  fi
  il_let_go
  exec -- "${il_argv[@]}"
}

# Sets il_front to the words that give a command a terminal or an input. $1: as console.pl is told.
il_hold() {
  il_find_tool perl || return 1
  [[ -f $il_directory/console.pl ]] || return 1
  il_front=("$il_tool_path" "$il_directory/console.pl" "$1")
}

# Ends all of a container whose command line is process $1.
il_kill() {
  il_find_tree "$1"
  kill -KILL -- "-$1" "${il_tree[@]}"
} 2>/dev/null

# Sends signal $1 to container il_index: to its first process, as under Kubernetes; where that has no process numbers of
# its own, to all of it.
il_signal() {
  if [[ -n ${il_set[$il_index.enter]-} ]] && il_find_first "${il_pid_of[il_index]}"; then
    kill -s "$1" "$il_first"
  else
    kill -s "$1" -- "-${il_pid_of[il_index]}"
  fi
} 2>/dev/null

# Runs an attempt of a container, tells its start and its end. Goes on when the loop is no more, to tell the end then.
il_run_container() {
  local il_pid il_guard il_code il_failed='-' il_log
  il_about "$1" "$2"
  exec 8>&-
  trap '' TERM INT HUP QUIT
  il_log=$il_directory/logs/$il_name-$il_attempt.log
  il_set_now
  if ! il_read_words "$il_spec/$il_name/run" || ! { : >>"$il_log"; } 2>/dev/null; then
    printf 'exited %s %s 128 %s failed\n' "$il_index" "$il_attempt" "$il_seconds" >&7
    return
  fi
  # A process group of its own, so that all of it can be signalled.
  set -m
  (
    trap - TERM INT HUP QUIT
    # Only now is a signal heard, so only now may one be sent.
    printf 'started %s %s %s %s\n' "$il_index" "$il_attempt" "$BASHPID" "$il_seconds" >&7
    # Traps are gone once the command has begun.
    trap ': >"$il_attempt_directory/start-failed"' EXIT
    if [[ -p $il_attempt_directory/stdin ]]; then
      # Open for writing as well, so that it does not end when somebody who wrote to it does.
      exec 0<>"$il_attempt_directory/stdin"
      il_hold "${il_set[$il_index.console]}"
      if [[ ${il_set[$il_index.console]} == tty ]]; then export TERM="${TERM:-xterm}"; fi
    elif [[ -n ${il_set[$il_index.console]-} ]]; then
      printf 'interlink: this machine has no perl, which a container with an input or a terminal needs: it has neither\n'
    fi
    il_become
  ) >>"$il_log" 2>&1 9<&- &
  il_pid=$!
  # Whatever becomes of the loop, the container ends with it: this read ends when the loop does.
  (
    exec 7>&- 6>&-
    IFS= read -r il_line <&9
    il_kill "$il_pid"
  ) &
  il_guard=$!
  set +m
  wait "$il_pid"
  il_code=$?
  il_set_now
  # As in a container, nothing outlives the first process.
  kill -KILL -- "-$il_pid"
  kill -KILL -- "-$il_guard"
  if [[ -e $il_attempt_directory/start-failed ]]; then il_failed=failed; fi
  # There is something to read (an end of file) once the loop is no more.
  if read -r -t 0 -u 9; then
    il_record exited "$il_name" "$il_attempt" "$il_code" "$il_seconds" Error -
  else
    printf 'exited %s %s %s %s %s\n' "$il_index" "$il_attempt" "$il_code" "$il_seconds" "$il_failed" >&7
  fi
}

# Whatever becomes of the loop, this process and its group end with it: this read ends when the loop does.
il_guard() {
  local il_line
  exec 8>&-
  set +m
  (
    exec 7>&- 6>&-
    IFS= read -r il_line <&9
    kill -KILL -- "-$1"
  ) >/dev/null &
  il_guard=$!
  exec 9<&-
}

# Runs the commands that come before container $1.
il_run_prepare() {
  local il_number il_code=0
  il_about "$1" "$2"
  il_guard "$BASHPID"
  for ((il_number = 0; il_number < ${il_set[$il_index.prepare]} && il_code == 0; il_number++)); do
    (il_read_words "$il_spec/$il_name/prepare-$il_number" && il_become plain)
    il_code=$?
  done >"$il_directory/containers/$il_name/prepare.log" 2>&1
  kill -KILL "$il_guard"
  printf 'prepared %s %s\n' "$il_index" "$il_code" >&7
}

# Sends the request in file $1 (scheme, host, port, request) and prints what is wrong. $2: any answer will do.
il_http() {
  local il_scheme='' il_host='' il_port='' il_request='' il_answer='' il_url
  {
    IFS= read -r -d '' il_scheme
    IFS= read -r -d '' il_host
    IFS= read -r -d '' il_port
    IFS= read -r -d '' il_request
  } <"$1"
  il_url=$il_scheme://$il_host:$il_port
  if [[ $il_scheme == https ]]; then
    il_find_tool openssl || {
      printf 'Get "%s": this machine has no openssl, which HTTPS probes need here; use httpGet with HTTP, tcpSocket or exec' "$il_url"
      return 1
    }
    # Certificates are not looked at, as a kubelet does not.
    IFS= read -r il_answer < <(
      printf '%s' "$il_request" | il_tool openssl s_client -quiet -verify_quiet -connect "$il_host:$il_port" 2>/dev/null
    )
  else
    { exec 5<>"/dev/tcp/$il_host/$il_port"; } 2>/dev/null || {
      printf 'dial tcp %s:%s: connect: connection refused' "$il_host" "$il_port"
      return 1
    }
    printf '%s' "$il_request" >&5 2>/dev/null
    IFS= read -r il_answer <&5
  fi
  if [[ ! $il_answer =~ ^HTTP/[0-9.]+\ ([0-9][0-9][0-9]) ]]; then
    printf 'Get "%s": no HTTP answer' "$il_url"
    return 1
  fi
  if [[ -n ${2-} ]] || [[ ${BASH_REMATCH[1]} == [23]* ]]; then return 0; fi
  printf 'HTTP probe failed with statuscode: %s' "${BASH_REMATCH[1]}"
  return 1
}

# Sets il_number to the varint at place il_at of il_message (hexadecimal digits), and il_at to what is behind it.
il_read_varint() {
  local il_byte il_shift
  il_number=0
  for ((il_shift = 0; il_shift < 35 && il_at < ${#il_message}; il_shift += 7)); do
    il_byte=$((16#${il_message:il_at:2}))
    il_at=$((il_at + 2))
    il_number=$((il_number | (il_byte & 127) << il_shift))
    ((il_byte > 127)) || break
  done
}

# Sets il_code to the grpc-status in il_headers (hexadecimal digits); to 2, "unknown", if there is none. As the first of
# its name on a connection it is written out, plainly or by Huffman's code, whatever else is in there.
il_find_grpc_status() {
  local il_rest='' il_size il_at il_bits=0 il_count=0 il_digit
  case $il_headers in
    *0b677270632d737461747573*) il_rest=${il_headers#*0b677270632d737461747573} ;;
    *889acac8b21234da8f*) il_rest=${il_headers#*889acac8b21234da8f} ;;
  esac
  il_code=''
  il_size=$((16#0${il_rest:0:2}))
  if ((il_size > 128)); then
    # Of the code only the digits are known: 0 to 2 have five bits, the others six.
    for ((il_at = 2; il_at < 8 && il_at <= 2 * (il_size & 127); il_at += 2)); do
      il_bits=$((il_bits << 8 | 16#0${il_rest:il_at:2}))
      il_count=$((il_count + 8))
    done
    while ((il_count > 4)); do
      il_digit=$((il_bits >> (il_count -= 5) & 31))
      if ((il_digit > 2)); then
        if ((il_count == 0)); then break; fi
        il_digit=$(((il_bits >> (il_count -= 1) & 63) - 22))
      fi
      if ((il_digit > 9)); then break; fi
      il_code+=$il_digit
    done
  else
    for ((il_at = 2; il_at < 8 && il_at <= 2 * il_size; il_at += 2)); do il_code+=${il_rest:il_at+1:1}; done
  fi
  if [[ ! $il_code =~ ^[0-9]+$ ]]; then il_code=2; fi
}

# Prints what is wrong by the answer that il_headers and il_message (hexadecimal digits) hold; nothing if the service is well.
il_judge_health() {
  local il_code il_number il_tag il_at=10 il_status=0
  local il_words=(UNKNOWN SERVING NOT_SERVING SERVICE_UNKNOWN)
  il_find_grpc_status
  if ((10#$il_code == 12)); then
    printf 'this server does not implement the grpc health protocol (grpc.health.v1.Health)'
  elif ((10#$il_code != 0)); then
    printf 'health rpc to %s ended with grpc status %d' "$il_address" "$((10#$il_code))"
  elif [[ $il_message == 01* ]]; then
    printf 'health rpc to %s: the answer is compressed' "$il_address"
  else
    while ((il_at < ${#il_message})); do
      il_read_varint
      il_tag=$il_number
      il_read_varint
      if ((il_tag == 8)); then
        il_status=$il_number
        break
      fi
      # Fields that are not known; such a one has as many bytes as it says.
      if (((il_tag & 7) == 2)); then il_at=$((il_at + 2 * il_number)); fi
    done
    ((il_status != 1)) || return 0
    printf 'service unhealthy (responded with "%s")' "${il_words[il_status]-$il_status}"
  fi
  return 1
}

# Waits until il_bytes (hexadecimal digits) holds $1 bytes that the server has sent. What it sends in all is bounded; how
# long it takes, too: the loop ends a look that lasts too long.
il_fill() {
  local il_wanted=$((2 * $1)) il_more
  while ((${#il_bytes} < il_wanted)); do
    # shellcheck disable=SC2046 # Bytes, without the space between them.
    set -- $(il_tool dd bs=4096 count=1 <&5 2>/dev/null | il_tool od -An -v -tx1)
    if (($# == 0)); then
      il_why='the connection was closed without an answer'
      return 1
    fi
    printf -v il_more %s "$@"
    il_bytes+=$il_more
    il_received=$((il_received + $#))
    if ((il_received > 65536)); then
      il_why='the answer is too long'
      return 1
    fi
  done
}

# Asks over HTTP/2 for the health of the service in file $1 (host, port, and what is to be sent, as printf's %b takes it)
# and prints what is wrong, in the words of look-grpc.ts.
il_grpc() {
  local il_host='' il_port='' il_request='' il_address il_why='' il_bytes='' il_received=0 il_begun='' il_whole=yes il_ended=''
  local il_size il_type il_flags il_stream il_payload il_pad il_error il_headers='' il_message=''
  local il_errors=(NO_ERROR PROTOCOL_ERROR INTERNAL_ERROR FLOW_CONTROL_ERROR SETTINGS_TIMEOUT STREAM_CLOSED FRAME_SIZE_ERROR
    REFUSED_STREAM CANCEL COMPRESSION_ERROR CONNECT_ERROR ENHANCE_YOUR_CALM INADEQUATE_SECURITY HTTP_1_1_REQUIRED)
  {
    IFS= read -r -d '' il_host
    IFS= read -r -d '' il_port
    IFS= read -r -d '' il_request
  } <"$1"
  il_address=$il_host:$il_port
  { exec 5<>"/dev/tcp/$il_host/$il_port"; } 2>/dev/null || {
    printf 'dial tcp %s: connect: connection refused' "$il_address"
    return 1
  }
  # A server that has hung up is told of by what follows.
  trap '' PIPE
  printf '%b' "$il_request" >&5 2>/dev/null
  until [[ -n $il_ended && -n $il_whole ]]; do
    # A frame: nine bytes (size, type, flags, stream), and as many as they say.
    il_fill 9 || break
    il_size=$((16#${il_bytes:0:6}))
    il_type=${il_bytes:6:2}
    il_flags=$((16#${il_bytes:8:2}))
    il_stream=$((16#${il_bytes:10:8} & 0x7fffffff))
    # A server begins with its settings, and sends no frame that is larger before it is told that it may.
    if ((il_size > 16384)) || [[ -z $il_begun && $il_type != 04 ]]; then
      il_why='the answer is not HTTP/2'
      break
    fi
    il_begun=yes
    il_fill "$((9 + il_size))" || break
    il_payload=${il_bytes:18:2*il_size}
    il_bytes=${il_bytes:18+2*il_size}
    case $il_type/$il_stream in
      00/1)
        if ((il_flags & 8)); then
          il_pad=$((16#0${il_payload:0:2}))
          if ((il_pad >= il_size)); then
            il_why='the answer is not HTTP/2'
            break
          fi
          il_payload=${il_payload:2:2*(il_size-1-il_pad)}
        fi
        il_message+=$il_payload
        if ((il_flags & 1)); then il_ended=yes; fi
        ;;
      01/1 | 09/1)
        il_headers+=$il_payload
        if [[ $il_type == 01 ]] && ((il_flags & 1)); then il_ended=yes; fi
        il_whole=''
        if ((il_flags & 4)); then il_whole=yes; fi
        ;;
      03/1)
        il_error=$((16#0${il_payload:0:8}))
        il_why="Stream closed with error code NGHTTP2_${il_errors[il_error]-$il_error}"
        break
        ;;
      04/0)
        if ! ((il_flags & 1)); then printf '\0\0\0\4\1\0\0\0\0' >&5 2>/dev/null; fi
        ;;
      07/0)
        # Streams up to that of the number are answered still, unless something is wrong.
        il_error=$((16#0${il_payload:8:8}))
        if ((il_error != 0 || (16#0${il_payload:0:8} & 0x7fffffff) == 0)); then
          il_why="Session closed with error code NGHTTP2_${il_errors[il_error]-$il_error}"
          break
        fi
        ;;
    esac
  done
  if [[ -n $il_why ]]; then
    printf 'health rpc to %s: %s' "$il_address" "$il_why"
    return 1
  fi
  il_judge_health
}

# Does what a probe or hook $1 asks for.
il_ask() {
  local il_file=$il_spec/$il_name/$1 il_host='' il_port=''
  case ${il_set[$il_index.$1]} in
    exec) (il_read_words "$il_file" && il_become_inside) ;;
    http) il_http "$il_file" "${2-}" ;;
    grpc) il_grpc "$il_file" ;;
    tcp)
      {
        IFS= read -r -d '' il_host
        IFS= read -r -d '' il_port
      } <"$il_file"
      { : <>"/dev/tcp/$il_host/$il_port"; } 2>/dev/null && return 0
      printf 'dial tcp %s:%s: connect: connection refused' "$il_host" "$il_port"
      return 1
      ;;
    sleep) il_tool sleep "${il_set[$il_index.$1.seconds]}" ;;
  esac
}

# Looks once at a container with probe $3; $4 tells this look from others.
il_run_look() {
  local il_code
  il_about "$1" "$2"
  il_guard "$BASHPID"
  il_ask "$3" 2>&1 | { il_tool head -c 10240 && il_tool cat >/dev/null; } >"$il_attempt_directory/$3"
  il_code=${PIPESTATUS[0]}
  kill -KILL "$il_guard"
  printf 'looked %s %s %s %s %s\n' "$1" "$2" "$3" "$il_code" "$4" >&7
}

il_run_hook() {
  local il_code
  il_about "$1" "$2"
  il_guard "$BASHPID"
  il_ask "$3" any >/dev/null 2>&1
  il_code=$?
  kill -KILL "$il_guard"
  printf 'hooked %s %s %s %s\n' "$1" "$2" "$3" "$il_code" >&7
}

# Runs a function beside the loop, in a process group of its own; sets il_beside to its id.
il_start_beside() {
  set -m
  "$@" 2>/dev/null &
  il_beside=$!
  set +m
}

# -------------------------------------------------------------------------------------------------- starting, ending

# Makes the part of a volume that a mount wants: file of root (as a word's part), path below it, volume's name, and "copy" for
# what updates change: such a mount keeps what it was made with, so it is of a copy, sub-N of the attempt.
# Links are followed only as long as they stay inside the volume: containers may have put them there.
il_make_sub_paths() {
  local il_file=$il_spec/$il_name/subpaths il_root il_sub il_volume il_copy il_real il_at il_rest il_step il_number=-1
  [[ -e $il_file ]] || return 0
  while IFS= read -r -d '' il_root && IFS= read -r -d '' il_sub && IFS= read -r -d '' il_volume && IFS= read -r -d '' il_copy; do
    il_number=$((il_number + 1))
    if [[ $il_root == p* ]]; then il_root=$il_data/${il_root#p}; else il_root=${il_root#t}; fi
    il_problem="failed to prepare subPath for volumeMount \"$il_volume\" of container \"$il_name\""
    if [[ -n $il_copy ]]; then
      il_at=$il_attempt_directory/sub-$il_number
      if [[ -e $il_root/$il_sub ]]; then
        il_tool cp -RLpfT -- "$il_root/$il_sub" "$il_at" || return 1
      elif [[ ! -d $il_at ]]; then
        (umask 022 && il_tool mkdir -- "$il_at") || return 1
      fi
      continue
    fi
    il_real=$(cd -P -- "$il_root" && pwd -P && printf .) || return 1
    il_real=${il_real%$'\n'.}
    il_at=$il_real
    il_rest=$il_sub/
    while [[ -n $il_rest ]]; do
      il_step=${il_rest%%/*}
      il_rest=${il_rest#*/}
      [[ -n $il_step && $il_step != . ]] || continue
      if [[ ! -e $il_at/$il_step && ! -L $il_at/$il_step ]]; then
        (umask 022 && il_tool mkdir -- "$il_at/$il_step") || return 1
      elif [[ ! -d $il_at/$il_step ]]; then
        # A file can only be the last step.
        [[ ! -L $il_at/$il_step && -z ${il_rest//\//} ]] || return 1
        break
      fi
      il_at=$(cd -P -- "$il_at/$il_step" && pwd -P && printf .) || return 1
      il_at=${il_at%$'\n'.}
      [[ $il_at/ == "${il_real%/}"/* ]] || return 1
    done
  done <"$il_file"
  il_problem=''
}

# Makes the pipe of a container that has an input or a terminal. Without perl it has neither.
il_make_input() {
  [[ -n ${il_set[$il_index.console]-} ]] && il_hold "${il_set[$il_index.console]}" || return 0
  il_front=()
  [[ -p $il_attempt_directory/stdin ]] || il_tool mkfifo -m 0600 -- "$il_attempt_directory/stdin"
}

# Starts the next attempt of container $1, or its preparation, or finds out when to try again.
il_begin() {
  local il_image il_word
  il_spec_of[$1]=$il_newest
  il_about "$1" "${il_next[$1]}"
  if ((il_now < il_wait_until[il_index])); then
    il_wake_at "${il_wait_until[il_index]}"
    return
  fi
  il_image=${il_set[$il_index.image]}
  il_image_of[il_index]=$il_image
  if ((il_set[$il_index.prepare] > 0)) && [[ ${il_images[$il_image]-} != ready ]]; then
    [[ ${il_images[$il_image]-} != busy ]] || return
    il_images[$il_image]=busy
    il_state[il_index]=preparing
    il_tool mkdir -p -- "$il_directory/containers/$il_name"
    il_record pulling "$il_name"
    il_start_beside il_run_prepare "$il_index" "$il_attempt"
    il_beside_of[il_index]=$il_beside
    return
  fi
  il_problem='its directory could not be made'
  if ! { il_tool mkdir -p -- "$il_attempt_directory" &&
    : >>"$il_attempt_directory/termination-log" &&
    il_tool chmod 0666 "$il_attempt_directory/termination-log" &&
    il_make_sub_paths &&
    il_make_input; } 2>/dev/null; then
    il_encode < <(printf '%s' "$il_problem")
    il_record problem "$il_name" CreateContainerConfigError "$il_encoded"
    il_wait_until[il_index]=$((il_now + 10000))
    return
  fi
  il_raise_back_off "$il_index"
  il_word=-
  if [[ $il_image =~ ^[A-Za-z0-9][A-Za-z0-9._/:@+~-]*$ ]]; then il_word=$il_image; fi
  il_record created "$il_name" "$il_attempt" "$il_newest" "$il_word"
  il_changed[il_index]=''
  il_count_oom
  il_oom_before[il_index]=$il_oom
  il_next[il_index]=$((il_attempt + 1))
  il_attempts[il_index]=$il_attempt
  il_state[il_index]=starting
  il_stop[il_index]=''
  il_step_of[il_index]=''
  il_post_start[il_index]=''
  il_pid_of[il_index]=''
  il_hook_of[il_index]=''
  il_start_beside il_run_container "$il_index" "$il_attempt"
  il_beside_of[il_index]=$il_beside
}

# A kubelet's: nothing before the first restart, then 10 s, doubling to 5 min; whoever was well for 10 min starts over.
il_raise_back_off() {
  [[ ${il_state[$1]} == exited ]] || return 0
  if [[ -z ${il_delay[$1]} ]] || ((il_ended_at[$1] - il_raised_at[$1] > 2 * il_set[backOffMost])); then
    il_delay[$1]=${il_set[backOffFirst]}
  else
    il_delay[$1]=$((il_delay[$1] * 2 < il_set[backOffMost] ? il_delay[$1] * 2 : il_set[backOffMost]))
  fi
  il_raised_at[$1]=$il_now
}

# Whether container $1, which has ended, runs again.
il_restarts() {
  local il_code=${il_code_of[$1]} il_rule il_value il_is_in
  [[ ${il_set[$1.kind]} != ephemeral ]] || return 1
  [[ ${il_set[$1.kind]} != sidecar && -z ${il_changed[$1]} ]] || return 0
  if [[ ${il_set[$1.kind]} == init ]] && ((il_code == 0)); then return 1; fi
  # shellcheck disable=SC2086 # Rules are words: "+1,2" for one of these, "-1,2" for none of them.
  set -- "$1" ${il_set[$1.rules]}
  for il_rule in "${@:2}"; do
    il_is_in=no
    il_value=,${il_rule#?},
    if [[ $il_value == *,"$il_code",* ]]; then il_is_in=yes; fi
    if [[ $il_rule == +* && $il_is_in == yes ]] || [[ $il_rule == -* && $il_is_in == no ]]; then return 0; fi
  done
  case ${il_set[$1.policy]} in
    Always) return 0 ;;
    OnFailure) ((il_code != 0)) ;;
    *) return 1 ;;
  esac
}

# Sets il_oom to how often the kernel has killed for want of memory in this job's cgroup, which all containers share.
il_count_oom() {
  local il_word il_number
  il_oom=0
  [[ -n $il_oom_file && -r $il_oom_file ]] || return 0
  while read -r il_word il_number; do
    if [[ $il_word == oom_kill ]]; then il_oom=$il_number; fi
  done <"$il_oom_file"
}

il_find_oom_file() {
  local il_line
  il_oom_file=${il_set[oomFile]-}
  [[ -z $il_oom_file ]] || return 0
  while IFS= read -r il_line; do
    case $il_line in
      0::*) il_oom_file=/sys/fs/cgroup${il_line#0::}/memory.events ;;
      *:memory:*)
        il_oom_file=/sys/fs/cgroup/memory${il_line#*:memory:}/memory.oom_control
        break
        ;;
    esac
  done 2>/dev/null </proc/self/cgroup
}

# Sets il_encoded to what an ended attempt wanted to say.
il_read_message() {
  local il_file=$il_attempt_directory/termination-log il_most=${il_set[messageBytes]}
  il_encoded=-
  if [[ -f $il_file && ! -L $il_file && -s $il_file ]]; then
    il_encode < <(il_tool head -c "$il_most" -- "$il_file")
  elif [[ -n ${il_set[$il_index.fallback]} && $1 != 0 ]]; then
    if ((il_most > 2048)); then il_most=2048; fi
    il_encode < <(il_tool tail -n 80 -- "$il_directory/logs/$il_name-$il_attempt.log" 2>/dev/null | il_tool tail -c "$il_most")
  fi
}

# An attempt has ended: code, time in seconds, whether it never began.
il_has_ended() {
  local il_code=$1 il_at=$2 il_failed=$3 il_reason=Error il_kind
  il_set_now
  for il_kind in startup liveness readiness; do il_stop_look "$il_kind"; done
  if [[ -n ${il_hook_of[il_index]} ]]; then kill -KILL -- "-${il_hook_of[il_index]}" 2>/dev/null; fi
  il_read_message "$il_code"
  if [[ $il_failed == failed ]]; then
    il_reason=StartError
    if [[ $il_encoded == - ]]; then
      il_encode < <(il_tool tail -c 1024 -- "$il_directory/logs/$il_name-$il_attempt.log" 2>/dev/null)
    fi
  elif ((il_code == 0)); then
    il_reason=Completed
  elif ((il_code == 137)) && [[ ${il_step_of[il_index]} != killed ]]; then
    il_count_oom
    if ((il_oom > il_oom_before[il_index])); then il_reason=OOMKilled; fi
  fi
  il_record exited "$il_name" "$il_attempt" "$il_code" "$il_at" "$il_reason" "$il_encoded"
  il_state[il_index]=exited
  il_code_of[il_index]=$il_code
  il_ended_at[il_index]=$il_now
  il_started[il_index]=''
  il_stop[il_index]=''
  il_wait_until[il_index]=0
  il_missed[il_index]=0
  if [[ -z $il_ending ]] && il_restarts "$il_index" && [[ -n ${il_delay[il_index]} ]] &&
    ((il_now - il_raised_at[il_index] <= 2 * il_set[backOffMost])); then
    il_wait_until[il_index]=$((il_now + il_delay[il_index]))
    il_record waiting "$il_name" "$il_attempt" "${il_delay[il_index]}"
  fi
}

# The pod is to end: "delete" or "finished". A shorter grace shortens what was begun with a longer one.
il_end() {
  local il_i il_grace=${il_set[grace]} il_wanted=''
  if [[ $1 == delete && -f $il_directory/grace ]]; then
    IFS= read -r il_wanted <"$il_directory/grace"
    if [[ $il_wanted =~ ^[0-9]{1,9}$ ]]; then il_grace=$((10#$il_wanted * 1000)); fi
  fi
  il_end_by=$((il_now + il_grace))
  for ((il_i = 0; il_i < ${#il_names[@]}; il_i++)); do
    if ((il_stop_by[il_i] > il_end_by)); then il_stop_by[il_i]=$il_end_by; fi
  done
  [[ $il_ending != "$1" ]] || return 0
  il_ending=$1
  il_record ending "$1"
}

# Container il_index is to end for reason $1, and be killed at $2.
il_intend_stop() {
  [[ -z ${il_stop[il_index]} ]] || return 0
  il_stop[il_index]=$1
  il_stop_by[il_index]=$2
  il_step_of[il_index]=''
  il_record stopping "$il_name" "$il_attempt" "$1"
}

il_is_live() {
  case ${il_state[$1]} in
    preparing | starting | running) return 0 ;;
    *) return 1 ;;
  esac
}

# A sidecar ends after all containers and all sidecars behind it.
il_must_wait() {
  local il_other
  [[ ${il_set[$1.kind]} == sidecar ]] || return 1
  for ((il_other = $1 + 1; il_other < ${#il_names[@]}; il_other++)); do
    if [[ ${il_set[$il_other.kind]} != [ie]* ]] && il_is_live "$il_other"; then return 0; fi
  done
  return 1
}

# The next step towards the end of container $1.
il_advance_stop() {
  local il_by il_least=0
  il_about "$1" "${il_attempts[$1]}"
  if [[ -n ${il_changed[il_index]} && ${il_state[il_index]} == running ]]; then
    il_intend_stop changed "$((il_now + il_set[grace]))"
  fi
  if [[ -n $il_ending ]]; then
    case ${il_state[il_index]} in
      preparing) kill -KILL -- "-${il_beside_of[il_index]}" 2>/dev/null && il_state[il_index]=idle ;;
      running) il_intend_stop "$il_ending" "$il_end_by" ;;
    esac
  fi
  [[ -n ${il_stop[il_index]} && ${il_state[il_index]} == running ]] || return 0
  il_by=${il_stop_by[il_index]}
  if [[ -n ${il_set[$il_index.preStop]-} || ${il_set[$il_index.kind]} == sidecar ]]; then il_least=2000; fi
  if [[ -z ${il_step_of[il_index]} ]]; then
    il_step_of[il_index]=turn
    if [[ -n ${il_set[$il_index.preStop]-} ]]; then
      il_step_of[il_index]=hook
      il_start_beside il_run_hook "$il_index" "$il_attempt" preStop
      il_hook_of[il_index]=$il_beside
    fi
  fi
  if [[ ${il_step_of[il_index]} == hook ]]; then
    if ((il_now < il_by)); then
      il_wake_at "$il_by"
      return
    fi
    kill -KILL -- "-${il_hook_of[il_index]}" 2>/dev/null
    il_step_of[il_index]=turn
  fi
  if [[ ${il_step_of[il_index]} == turn ]]; then
    if [[ -n $il_ending ]] && ((il_now < il_by)) && il_must_wait "$il_index"; then
      il_wake_at "$il_by"
      return
    fi
    il_signal "${il_set[$il_index.signal]}"
    il_step_of[il_index]=sent
    if ((il_now + il_least > il_by)); then il_by=$((il_now + il_least)); fi
    il_stop_by[il_index]=$il_by
  fi
  if [[ ${il_step_of[il_index]} == sent ]]; then
    if ((il_now < il_by)); then
      il_wake_at "$il_by"
      return
    fi
    il_kill "${il_pid_of[il_index]}"
    il_step_of[il_index]=killed
  fi
}

# ---------------------------------------------------------------------------------------------------------- probes

# Begins with the probes of attempt il_index, which has just started.
il_follow() {
  local il_kind il_key
  for il_kind in startup liveness readiness; do
    il_key=$il_index.$il_kind
    [[ -n ${il_set[$il_key]-} ]] || continue
    il_look_at[$il_key]=$((il_now + il_set[$il_key.delay]))
    il_look_run[$il_key]=0
    il_look_last[$il_key]=''
    il_look_result[$il_key]=''
    il_look_held[$il_key]=''
    il_look_pid[$il_key]=''
  done
}

il_stop_look() {
  local il_key=$il_index.$1
  if [[ -n ${il_look_pid[$il_key]-} ]]; then kill -KILL -- "-${il_look_pid[$il_key]}" 2>/dev/null; fi
  il_look_pid[$il_key]=''
}

il_startup_is_over() {
  [[ -z ${il_set[$1.startup]-} || ${il_look_result[$1.startup]-} == success ]]
}

# Running, postStart hook over, startup probe passed.
il_check_started() {
  il_started[$1]=''
  [[ ${il_state[$1]} == running ]] || return 0
  if [[ -n ${il_set[$1.postStart]-} && ${il_post_start[$1]} != over ]]; then return 0; fi
  if il_startup_is_over "$1"; then il_started[$1]=yes; fi
}

# Makes the looks that are due at container $1.
il_probe() {
  local il_kind il_key
  [[ ${il_state[$1]} == running ]] || return 0
  il_about "$1" "${il_attempts[$1]}"
  for il_kind in startup liveness readiness; do
    il_key=$il_index.$il_kind
    [[ -n ${il_set[$il_key]-} ]] || continue
    if [[ -n ${il_look_pid[$il_key]} ]]; then
      if ((il_now >= il_look_until[$il_key])); then
        il_stop_look "$il_kind"
        il_has_looked "$il_kind" 1 "${il_set[$il_key.late]-command timed out after $((il_set[$il_key.timeout] / 1000))s}"
      else
        il_wake_at "${il_look_until[$il_key]}"
      fi
      continue
    fi
    [[ -z ${il_look_held[$il_key]} ]] || continue
    # Before startup only its own probe runs, afterwards all but it; what is being stopped is only asked whether it is
    # still ready.
    if il_startup_is_over "$il_index"; then
      [[ $il_kind != startup ]] || continue
    else
      [[ $il_kind == startup ]] || continue
    fi
    [[ -z ${il_stop[il_index]} || $il_kind == readiness ]] || continue
    if ((il_now < il_look_at[$il_key])); then
      il_wake_at "${il_look_at[$il_key]}"
      continue
    fi
    il_looks=$((il_looks + 1))
    il_look_number[$il_key]=$il_looks
    il_look_begun[$il_key]=$il_now
    il_look_until[$il_key]=$((il_now + il_set[$il_key.timeout]))
    il_wake_at "${il_look_until[$il_key]}"
    il_start_beside il_run_look "$il_index" "$il_attempt" "$il_kind" "$il_looks"
    il_look_pid[$il_key]=$il_beside
  done
}

# Probe $1 said $2 (0 = well) with output $3, or that in its file.
il_has_looked() {
  local il_kind=$1 il_code=$2 il_key=$il_index.$1 il_result=success il_threshold=${il_set[$il_index.$1.success]}
  il_look_at[$il_key]=$((il_look_begun[$il_key] + il_set[$il_key.period]))
  il_wake_at "${il_look_at[$il_key]}"
  if ((il_code != 0)); then
    il_result=failure
    il_threshold=${il_set[$il_key.failure]}
  fi
  if [[ ${il_look_last[$il_key]} == "$il_result" ]]; then
    il_look_run[$il_key]=$((il_look_run[$il_key] + 1))
  else
    il_look_run[$il_key]=1
  fi
  il_look_last[$il_key]=$il_result
  # The first failures of a row tell all; a probe that fails for days must not fill the records.
  if [[ $il_result == failure ]] && ((il_look_run[$il_key] <= il_threshold)); then
    if [[ -n ${3-} ]]; then
      il_encode < <(printf '%s' "$3")
    else
      il_encode < <(il_tool head -c 1024 -- "$il_attempt_directory/$il_kind" 2>/dev/null)
    fi
    il_record unhealthy "$il_name" "$il_attempt" "$il_kind" "$il_encoded"
  fi
  ((il_look_run[$il_key] >= il_threshold)) || return 0
  if [[ $il_result != "${il_look_result[$il_key]}" ]]; then
    il_look_result[$il_key]=$il_result
    case $il_kind/$il_result in
      startup/success) il_record startup "$il_name" "$il_attempt" ;;
      readiness/success) il_record ready "$il_name" "$il_attempt" ;;
      readiness/failure) il_record unready "$il_name" "$il_attempt" ;;
    esac
    il_check_started "$il_index"
  fi
  if [[ $il_result == failure && $il_kind != readiness ]]; then
    il_look_held[$il_key]=yes
    il_intend_stop "$il_kind" "$((il_now + il_set[$il_key.grace]))"
  fi
}

# ------------------------------------------------------------------------------------------------------------ loop

# What was told through the pipe.
il_hear() {
  local il_key
  case $1 in
    asked) return ;;
    prepared) il_hear_prepared "$2" "$3" ;;
    *)
      il_about "$2" "$3"
      # Of an attempt that is over by now.
      if [[ ${il_attempts[il_index]} != "$il_attempt" || ${il_state[il_index]} == exited ]]; then return; fi
      ;;
  esac
  case $1 in
    started)
      il_state[il_index]=running
      il_pid_of[il_index]=$4
      il_record started "$il_name" "$il_attempt" "$5" "$4"
      il_follow
      if [[ -n ${il_set[$il_index.postStart]-} ]]; then
        il_start_beside il_run_hook "$il_index" "$il_attempt" postStart
        il_hook_of[il_index]=$il_beside
      fi
      il_check_started "$il_index"
      ;;
    exited) il_has_ended "$4" "$5" "$6" ;;
    looked)
      il_key=$il_index.$4
      if [[ ${il_look_number[$il_key]} != "$6" || -z ${il_look_pid[$il_key]} ]]; then return; fi
      il_look_pid[$il_key]=''
      il_has_looked "$4" "$5"
      ;;
    hooked)
      if (($5 != 0)); then il_record hook-failed "$il_name" "$il_attempt" "$4"; fi
      if [[ $4 == preStop ]]; then
        if [[ ${il_step_of[il_index]} == hook ]]; then il_step_of[il_index]=turn; fi
      elif (($5 == 0)); then
        il_post_start[il_index]=over
        il_record post-start "$il_name" "$il_attempt"
        il_check_started "$il_index"
      else
        il_intend_stop postStart "$((il_now + il_set[grace]))"
      fi
      ;;
  esac
}

il_give_up_preparing() {
  il_state[il_index]=idle
  if ((il_next[il_index] > 0)) && ((il_attempts[il_index] >= 0)); then il_state[il_index]=exited; fi
}

# The image of container $1 is there ($2 is 0) or not.
il_hear_prepared() {
  local il_image=${il_image_of[$1]}
  il_about "$1" "${il_next[$1]}"
  # Its end may be told after it was given up.
  [[ ${il_state[il_index]} == preparing ]] || return 0
  il_give_up_preparing
  if (($2 == 0)); then
    il_images[$il_image]=ready
    il_record pulled "$il_name"
    return
  fi
  il_images[$il_image]=''
  il_pull_delay[$il_index]=$((${il_pull_delay[$il_index]-0} == 0 ? il_set[backOffFirst] : il_pull_delay[$il_index] * 2))
  if ((il_pull_delay[$il_index] > il_set[backOffMost])); then il_pull_delay[$il_index]=${il_set[backOffMost]}; fi
  il_wait_until[il_index]=$((il_now + il_pull_delay[$il_index]))
  il_encode < <(il_tool tail -c 1024 -- "$il_directory/containers/$il_name/prepare.log" 2>/dev/null)
  il_record pull-failed "$il_name" "${il_pull_delay[$il_index]}" "$il_encoded"
}

# Whoever waits for the end of a container may be killed as well; then nobody will tell it. Called when nothing was told.
il_look_after() {
  local il_i
  for ((il_i = 0; il_i < ${#il_names[@]}; il_i++)); do
    il_is_live "$il_i" || continue
    if kill -0 "${il_beside_of[il_i]}" 2>/dev/null; then
      il_missed[il_i]=0
      continue
    fi
    # It may have told it a moment ago.
    il_missed[il_i]=$((il_missed[il_i] + 1))
    il_soon=1
    ((il_missed[il_i] > 1)) || continue
    if [[ ${il_state[il_i]} == preparing ]]; then
      il_hear_prepared "$il_i" 1
      continue
    fi
    if [[ -n ${il_pid_of[il_i]} ]]; then il_kill "${il_pid_of[il_i]}"; fi
    il_about "$il_i" "${il_attempts[il_i]}"
    il_has_ended 137 "$il_seconds" -
  done
}

# Writes down what containers use, if somebody has asked: name, attempt, time, ticks of CPU (a hundredth of a second), KiB.
il_measure() {
  local il_i il_process il_key il_value il_line il_ticks il_size il_lines=''
  [[ $il_directory/usage-wanted -nt $il_directory/usage ]] || return 0
  for ((il_i = 0; il_i < ${#il_names[@]}; il_i++)); do
    [[ ${il_state[il_i]} == running ]] || continue
    # What the runtime itself uses is not the container's.
    if [[ -n ${il_set[$il_i.enter]-} ]] && il_find_first "${il_pid_of[il_i]}"; then
      il_find_tree "$il_first"
    else
      il_find_tree "${il_pid_of[il_i]}"
    fi
    il_ticks=0
    il_size=0
    for il_process in "${il_tree[@]}"; do
      IFS= read -r il_line <"/proc/$il_process/stat" || continue
      # Behind its name, which may hold anything: times of its own, and of its children that have ended.
      # shellcheck disable=SC2086 # Words.
      set -- ${il_line##*) }
      il_ticks=$((il_ticks + ${12} + ${13} + ${14} + ${15}))
      while read -r il_key il_value _; do
        if [[ $il_key == VmRSS: ]]; then il_size=$((il_size + il_value)); fi
      done <"/proc/$il_process/status"
    done 2>/dev/null
    il_key=$il_i.${il_attempts[il_i]}
    # What ended processes used may be seen no more; the sum never falls.
    if ((il_ticks < ${il_used[$il_key]-0})); then il_ticks=${il_used[$il_key]}; fi
    il_used[$il_key]=$il_ticks
    il_lines+="${il_names[il_i]} ${il_attempts[il_i]} $il_seconds $il_ticks $il_size"$'\n'
  done
  # It will be asked for again.
  il_wake_at "$((il_now + 5000))"
  { printf '%s' "$il_lines" >"$il_directory/usage.new"; } 2>/dev/null &&
    il_tool mv -f -- "$il_directory/usage.new" "$il_directory/usage" 2>/dev/null
}

# Starts ephemeral container $1 (kubectl debug) if it never was: whatever the others do, once the one that it is to look at runs.
il_begin_ephemeral() {
  local il_i il_target=${il_set[$1.target]-}
  [[ ${il_state[$1]} == idle ]] && ((il_next[$1] == 0)) || return 0
  for ((il_i = 0; il_i < ${#il_names[@]}; il_i++)); do
    [[ ${il_names[il_i]} == "$il_target" && ${il_state[il_i]} == running ]] || continue
    il_target=''
    break
  done
  if [[ -z $il_target ]]; then
    il_begin "$1"
  elif [[ -z ${il_waits[$1]-} ]]; then
    il_waits[$1]=yes
    il_encode < <(printf 'unable to find target container %s' "$il_target")
    il_record problem "${il_names[$1]}" CreateContainerConfigError "$il_encoded"
  fi
}

# Starts what should run and does not. Decides that the pod is over when nothing but sidecars can ever run again.
il_decide() {
  local il_i il_begun=-1 il_finished=yes il_inits=${il_set[inits]}
  for ((il_i = 0; il_i < ${#il_names[@]}; il_i++)); do
    if [[ ${il_set[$il_i.kind]} == ephemeral ]]; then
      il_begin_ephemeral "$il_i"
    elif ((il_attempts[il_i] >= 0)); then
      il_begun=$((il_i < il_inits ? il_i : il_inits))
    fi
  done
  for ((il_i = 0; il_i < il_inits; il_i++)); do
    case ${il_state[il_i]} in
      idle)
        il_begin "$il_i"
        if ((il_i >= il_begun)); then return; fi
        ;;
      exited)
        if ((il_i >= il_begun)) && [[ ${il_set[$il_i.kind]} == init ]] && ((il_code_of[il_i] == 0)); then continue; fi
        if il_restarts "$il_i"; then
          if ((il_i >= il_begun)) || [[ ${il_set[$il_i.kind]} == sidecar ]]; then il_begin "$il_i"; fi
        elif ((il_i >= il_begun)); then
          il_end finished
          return
        fi
        if ((il_i >= il_begun)); then return; fi
        ;;
      *)
        if ((il_i >= il_begun)) && [[ -z ${il_started[il_i]} || ${il_set[$il_i.kind]} == init ]]; then return; fi
        ;;
    esac
  done
  for ((il_i = il_inits; il_i < ${#il_names[@]}; il_i++)); do
    [[ ${il_set[$il_i.kind]} != ephemeral ]] || continue
    if [[ ${il_state[il_i]} == exited ]] && ! il_restarts "$il_i"; then continue; fi
    il_finished=''
    if ! il_is_live "$il_i"; then il_begin "$il_i"; fi
  done
  if [[ -n $il_finished ]]; then il_end finished; fi
}

# Container $1 is known from now on.
il_add_container() {
  il_state[$1]=idle
  il_next[$1]=0
  il_attempts[$1]=-1
  il_code_of[$1]=0
  il_wait_until[$1]=0
  il_delay[$1]=''
  il_raised_at[$1]=0
  il_ended_at[$1]=0
  il_stop[$1]=''
  il_stop_by[$1]=0
  il_step_of[$1]=''
  il_started[$1]=''
  il_post_start[$1]=''
  il_pid_of[$1]=''
  il_beside_of[$1]=''
  il_hook_of[$1]=''
  il_oom_before[$1]=0
  il_missed[$1]=0
  il_spec_of[$1]=$il_newest
  il_image_of[$1]=''
  il_changed[$1]=''
}

# Takes over what an update has brought: what containers are made of from now on, containers that are new behind the others,
# and other images, with which what runs is started anew, at once and whatever became of the one before.
il_take_update() {
  local il_before=$il_newest il_i il_old il_is_used il_kept=()
  [[ -z $il_unpacked && -f $il_directory/update ]] || return 0
  il_find_newest
  [[ $il_newest != "$il_before" ]] || return 0
  il_read_settings
  il_make_directories
  for ((il_i = ${#il_state[@]}; il_i < ${#il_names[@]}; il_i++)); do il_add_container "$il_i"; done
  for ((il_i = 0; il_i < ${#il_names[@]}; il_i++)); do
    [[ -n ${il_image_of[il_i]} && ${il_image_of[il_i]} != "${il_set[$il_i.image]}" && ${il_set[$il_i.kind]} != ephemeral ]] || continue
    il_about "$il_i" "${il_attempts[il_i]}"
    case ${il_state[il_i]} in
      starting | running) il_changed[il_i]=yes ;;
      preparing)
        kill -KILL -- "-${il_beside_of[il_i]}" 2>/dev/null
        il_images[${il_image_of[il_i]}]=''
        il_give_up_preparing
        ;;
    esac
    if [[ -z ${il_changed[il_i]} ]]; then il_image_of[il_i]=''; fi
    il_pull_delay[$il_i]=0
    il_wait_until[il_i]=0
    il_delay[il_i]=''
  done
  il_old_specs+=("$il_before")
  for il_old in "${il_old_specs[@]}"; do
    il_is_used=''
    for il_i in "${!il_state[@]}"; do
      if [[ ${il_spec_of[il_i]} == "$il_old" ]]; then il_is_used=yes; fi
    done
    if [[ -n $il_is_used ]]; then
      il_kept+=("$il_old")
    elif [[ $il_old == spec-* ]]; then
      # The first stays: it is what says that this directory has a pod.
      il_tool rm -rf -- "$il_data/$il_old"
    fi
  done
  il_old_specs=()
  if ((${#il_kept[@]})); then il_old_specs=("${il_kept[@]}"); fi
}

# Attempts of an earlier life of this job (it was put back into the queue) keep their numbers.
il_take_up() {
  local il_word il_container il_number il_i
  for ((il_i = 0; il_i < ${#il_names[@]}; il_i++)); do il_add_container "$il_i"; done
  [[ -e $il_records ]] || return 0
  # Its last line may be cut off.
  il_unwritten=$'\n'
  while read -r _ il_word il_container il_number _; do
    [[ $il_word == created && $il_number =~ ^[0-9]+$ ]] || continue
    for ((il_i = 0; il_i < ${#il_names[@]}; il_i++)); do
      if [[ ${il_names[il_i]} == "$il_container" ]]; then il_next[il_i]=$((il_number + 1)); fi
    done
  done <"$il_records"
}

# Makes directories that every user of a container may read; what is above them all is closed.
il_make_open() {
  local il_code
  umask 022
  il_tool mkdir -p "$@"
  il_code=$?
  umask 077
  return "$il_code"
}

# Gives the files in directory $1 their place as tree $3 of volume $2, in the layout of a kubelet's atomic writer: a link
# "..data" to the tree, and for each of its names a link into that. Whoever has the volume mounted then sees all files change
# at once. $4: "first" when the job starts, which changes nothing that an update has brought; else, where to put what is in
# the way. The tree that was there before stays, as somebody may be reading it.
il_place() {
  local il_before='' il_path il_names_of=()
  if [[ -L $2/..data ]]; then il_before=$(il_tool readlink -- "$2/..data"); fi
  [[ $il_before != "$3" ]] || return 0
  [[ -d $1 && -d $2 ]] || il_make_open -- "$1" "$2" || return 1
  if [[ $4 != first && -e $2/$3 ]]; then
    il_tool mv -T -- "$2/$3" "$(il_tool mktemp -d "$4/old.XXXXXXXXXX")/tree" || return 1
  fi
  # An earlier life of this job may have come so far.
  if [[ ! -e $2/$3 ]]; then il_tool mv -T -- "$1" "$2/$3" || return 1; fi
  if [[ $4 != first ]]; then
    il_tool ln -sfT -- "$3" "$2/..data_tmp" && il_tool mv -fT -- "$2/..data_tmp" "$2/..data" || return 1
  fi
  set +f
  for il_path in "$2/$3"/* "$2/$3"/.[!.]*; do
    il_path=${il_path##*/}
    if [[ -e $2/$3/$il_path && ! -L $2/$il_path ]]; then il_names_of+=("..data/$il_path"); fi
  done
  if ((${#il_names_of[@]})); then il_tool ln -s -t "$2" -- "${il_names_of[@]}"; fi
  if [[ $4 != first ]] || ! il_tool ln -sT -- "$3" "$2/..data"; then
    # What is gone by now: names, and trees but the two newest.
    for il_path in "$2"/* "$2"/.[!.]*; do
      if [[ -L $il_path && ! -e $il_path ]]; then il_tool rm -f -- "$il_path"; fi
    done
    for il_path in "$2"/..?*; do
      case ${il_path##*/} in
        ..data* | "$3" | "$il_before") ;;
        *) if [[ $4 != first && -d $il_path ]]; then il_tool rm -rf -- "$il_path"; fi ;;
      esac
    done
  fi
  set -f
}

il_make_directories() {
  local il_i il_path il_new=()
  il_tool mkdir -p -- "$il_directory/logs" "$il_directory/containers" || return 1
  for ((il_i = 0; il_i < il_set[directories]; il_i++)); do
    il_path=$il_data/${il_set[directory.$il_i.path]}
    if [[ -z ${il_set[directory.$il_i.tree]-} ]]; then
      [[ -d $il_path ]] || il_make_open -m "${il_set[directory.$il_i.mode]}" -- "$il_path" || return 1
    elif [[ ! -L $il_path/..data ]]; then
      il_new+=("$il_i")
      set -- "$@" "$il_path" "$il_data/trees/${il_path##*/}"
    fi
  done
  ((${#il_new[@]})) || return 0
  il_make_open -- "$@" || return 1
  for il_i in "${il_new[@]}"; do
    il_path=$il_data/${il_set[directory.$il_i.path]}
    il_place "$il_data/trees/${il_path##*/}" "$il_path" "${il_set[directory.$il_i.tree]}" first || return 1
  done
}

# Brings the pod's files to what stdin holds (see il_unpack_files): volumes change under whoever has them mounted; what
# containers are made of counts from their next start, if it has changed, which version $1 tells. Says "changed" then.
il_update() {
  local il_i il_version il_path il_fresh
  il_data=$il_directory
  il_find_newest
  il_read_settings || return 1
  il_version=${il_set[version]-}
  # Of an earlier release, whose volumes are no trees.
  [[ -n $il_version ]] || return 1
  # Of one that was killed.
  set +f
  il_tool rm -rf -- "$il_directory"/update.*
  set -f
  il_work=$(il_tool mktemp -d "$il_directory/update.XXXXXXXXXX") || return 1
  trap 'il_tool rm -rf -- "$il_work"' EXIT
  # From a pipe, bash would read byte by byte.
  il_tool cat >"$il_work/input" && il_unpack_files "$il_work" ended <"$il_work/input" || return 1
  il_data=$il_work
  il_newest=spec
  il_read_settings || return 1
  for ((il_i = 0; il_i < il_set[directories]; il_i++)); do
    [[ -n ${il_set[directory.$il_i.tree]-} ]] || continue
    il_path=${il_set[directory.$il_i.path]}
    il_place "$il_work/trees/${il_path##*/}" "$il_directory/$il_path" "${il_set[directory.$il_i.tree]}" "$il_work" || return 1
  done
  [[ $1 != "$il_version" ]] || return 0
  # Never one that was there before: its files may be in use, or be being removed.
  il_fresh=spec-$1-${il_work##*.}
  il_tool mv -T -- "$il_work/spec" "$il_directory/$il_fresh" || return 1
  printf '%s\n' "$il_fresh" >"$il_work/update" || return 1
  il_tool mv -fT -- "$il_work/update" "$il_directory/update" || return 1
  printf 'changed\n'
}

# The job's exit code: 0 when all containers have ended well, else the highest code that counts.
il_outcome() {
  local il_i il_most=0
  for ((il_i = 0; il_i < ${#il_names[@]}; il_i++)); do
    case ${il_set[$il_i.kind]} in sidecar | ephemeral) continue ;; esac
    if [[ ${il_state[il_i]} == exited ]]; then
      if ((il_code_of[il_i] > il_most)); then il_most=${il_code_of[il_i]}; fi
    elif [[ ${il_set[$il_i.kind]} == regular ]] && ((il_most == 0)); then
      # Never started.
      il_most=143
    fi
  done
  return "$il_most"
}

il_fail() {
  il_say "$1"
  il_encode < <(printf '%s' "$1")
  il_record failed "$il_encoded"
  il_flush_all
  exit 125
}

il_run_pod() {
  local il_i il_left il_heard il_code il_host=''
  exec </dev/null
  exec 7<> <(:)
  # Reading from 9 ends when nobody holds 8 any more, and only this process does.
  exec 5<> <(:)
  exec 8>"/proc/$$/fd/5"
  exec 9<"/proc/$$/fd/5" 5>&-

  il_data=$il_directory
  il_unpacked=''
  il_tool mkdir -p -- "$il_directory" || il_fail "the directory $il_directory could not be made"
  # What was put before this script may have found that the pod cannot run.
  if [[ -n ${il_refused-} ]]; then il_fail "$il_refused"; fi
  if [[ ! -e $il_directory/spec/pod.settings ]]; then
    il_unpack || il_fail "what the job is to run could not be unpacked"
    il_tool ln -sfn -- "$il_unpacked" "$il_directory/unpacked"
  fi
  # What bash itself says of ended processes is of no use to anybody.
  exec 2>/dev/null
  il_find_newest
  il_read_settings || il_fail "the job's settings could not be read"
  il_take_up
  il_find_oom_file
  IFS= read -r il_host </proc/sys/kernel/hostname
  il_record pod-started "${il_host:--}" "$$"
  il_make_directories || il_fail "the job's directories could not be made"

  while :; do
    il_set_now
    il_wake=$((il_now + (il_soon ? 50 : il_longest)))
    il_soon=0
    if [[ -n $il_unwritten ]]; then
      il_wake_at "$((il_now + 1000))"
      il_flush
    fi
    if ((il_asked)); then
      il_asked=0
      il_end delete
    fi
    if [[ -z $il_ending ]]; then
      il_take_update
      il_decide
    fi
    il_measure
    il_heard=''
    for ((il_i = 0; il_i < ${#il_names[@]}; il_i++)); do
      il_probe "$il_i"
      il_advance_stop "$il_i"
      if il_is_live "$il_i"; then il_heard=live; fi
    done
    if [[ -n $il_ending && -z $il_heard ]]; then break; fi
    il_set_now
    il_left=$((il_wake - il_now))
    if ((il_left < 5)); then il_left=5; fi
    printf -v il_left '%d.%03d' "$((il_left / 1000))" "$((il_left % 1000))"
    if IFS= read -r -t "$il_left" -u 7 il_heard; then
      il_set_now
      # shellcheck disable=SC2086 # Words of our own.
      il_hear $il_heard
    else
      il_look_after
    fi
  done

  il_outcome
  il_code=$?
  il_record pod-finished "$il_code"
  il_flush_all
  if [[ -n $il_unpacked ]]; then il_tool rm -rf -- "$il_unpacked" "$il_directory/unpacked"; fi
  return "$il_code"
}

# Does $1 (exec, terminal, input; see above) in container $2, with what is behind.
il_serve() {
  local il_word il_container il_number il_more il_pid il_i
  il_data=$il_directory
  if [[ ! -e $il_data/spec/pod.settings ]]; then il_data=$il_directory/unpacked; fi
  il_find_newest
  il_read_settings || return 1
  for ((il_i = 0; il_i < ${#il_names[@]}; il_i++)); do
    [[ ${il_names[il_i]} == "$2" ]] || continue
    il_attempt=''
    il_spec_of[il_i]=$il_newest
    while read -r _ il_word il_container il_number il_more il_pid; do
      [[ $il_container == "$2" ]] || continue
      case $il_word in
        started)
          il_about "$il_i" "$il_number"
          il_pid_of[il_i]=$il_pid
          ;;
        created)
          il_attempt=''
          # What it was made of, whatever has changed since.
          if [[ $il_more == spec || $il_more == spec-* ]]; then il_spec_of[il_i]=$il_more; fi
          ;;
        exited) il_attempt='' ;;
      esac
    done <"$il_records"
    [[ -n $il_attempt ]] || return 1
    if [[ $1 == input ]]; then
      if ! [[ -p $il_attempt_directory/stdin ]] || ! il_hold "relay:$il_attempt_directory/stdin"; then
        il_say "container $2 takes no input"
        exit 126
      fi
      il_argv=("${il_front[@]}")
      il_front=()
      il_become plain
    fi
    # The command itself may be all of it.
    il_read_words "$il_spec/$2/exec"
    if [[ $1 == exec ]]; then
      il_argv+=("${@:3}")
      il_become_inside
    fi
    if ! il_hold "tty:$3"; then
      il_say 'this machine has no perl, which a terminal needs; leave -t out'
      exit 126
    fi
    il_argv+=("${@:4}")
    il_become_inside TERM=xterm
  done
  return 1
}

il_ending=''
il_end_by=0
il_wake=0
il_looks=0
il_soon=0
il_problem=''
il_argv=()
il_inner=0
il_front=()
il_enter=()
il_tree=()
il_first=''
il_kinds=''
il_newest=spec
il_spec=''
il_unpacked=''
il_work=''
il_old_specs=() il_spec_of=() il_image_of=() il_changed=() il_waits=()
il_state=() il_next=() il_attempts=() il_code_of=() il_wait_until=() il_delay=() il_raised_at=() il_ended_at=()
il_stop=() il_stop_by=() il_step_of=() il_started=() il_post_start=() il_pid_of=() il_beside_of=() il_hook_of=()
il_oom_before=() il_missed=()
declare -A il_images=() il_pull_delay=() il_look_at=() il_look_run=() il_look_last=() il_look_result=()
declare -A il_used=() il_look_held=() il_look_pid=() il_look_until=() il_look_begun=() il_look_number=()

if (($# > 1)); then
  case $2 in
    exec) if (($# > 3)); then il_serve "${@:2}"; fi ;;
    terminal) if (($# > 4)); then il_serve "${@:2}"; fi ;;
    input) if (($# == 3)); then il_serve "${@:2}"; fi ;;
    update)
      if (($# == 3)) && il_update "$3"; then exit 0; fi
      il_say "the pod's files could not be updated"
      exit 1
      ;;
  esac
  il_say "container ${3-} is not running"
  exit 126
fi
il_run_pod
exit "$?"
