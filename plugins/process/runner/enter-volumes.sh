#!/bin/bash
# Puts volumes where the container wants them, then becomes its command. Runs in a mount namespace of its own.
#
# usage: bash -p enter-volumes.sh DIRECTORY COMMAND...
#
# DIRECTORY/mounts is NUL-separated: the working directory, then for each volume its mount path, its path on the host
# and `ro` or `rw`, parents before children. DIRECTORY/root is an empty directory.
# DIRECTORY/entered is made when everything is in place.
#
# The new root is a tmpfs that shows the host's top-level directories, so that mount points can be made in it that the
# host does not have. A mount point missing further down (/etc/config) turns its parent into a tmpfs of links to the
# host's entries. The host's own root stays visible as /.interlink-host.
set -u -f
__il_directory=$1
shift
readonly __il_host=/.interlink-host

__il_fail() {
  printf 'interlink: %s\n' "$1" >&2
  exit 125
}

# Tools are the host's, whatever PATH the container has.
__il_tool() {
  local PATH=/usr/sbin:/usr/bin:/sbin:/bin
  "$@"
}

__il_make_root() {
  local __il_root=$__il_directory/root __il_entry __il_name __il_links=() __il_directories=()
  __il_tool mount -t tmpfs -o mode=755 interlink "$__il_root" || return 1
  set +f
  for __il_entry in /* /.[!.]*; do
    if [[ -L $__il_entry ]]; then
      __il_links+=("$__il_entry")
    elif [[ -d $__il_entry ]]; then
      __il_directories+=("$__il_entry")
    fi
  done
  set -f
  if ((${#__il_links[@]})); then __il_tool cp -P -- "${__il_links[@]}" "$__il_root/" || return 1; fi
  __il_tool mkdir -- "$__il_root$__il_host" "${__il_directories[@]/#/$__il_root}" || return 1
  for __il_entry in "${__il_directories[@]}"; do
    __il_tool mount --rbind "$__il_entry" "$__il_root$__il_entry" || return 1
  done
  cd "$__il_root" && __il_tool pivot_root . "${__il_host#/}" && cd /
}

# Directories whose entries are our own to make: the root, and those turned into links. By physical path.
declare -A __il_ours=([/]=1)

# Makes sure that directory $1 exists; sets __il_physical to it without links.
__il_make_directory() {
  local __il_parent
  if [[ ! -d $1 ]]; then
    __il_parent=${1%/*}
    __il_make_directory "${__il_parent:-/}" || return 1
    __il_make_room "$__il_physical" || return 1
    __il_physical=${__il_physical%/}/${1##*/}
    __il_tool mkdir -- "$__il_physical" || return 1
    __il_ours[$__il_physical]=1
    return 0
  fi
  __il_physical=$(cd -P -- "$1" && pwd -P)
}

# Makes sure that something can be made in directory $1 without touching the host.
__il_make_room() {
  local __il_index
  [[ -n ${__il_ours[$1]-} ]] && return 0
  # Inside a volume, mount points are made in the volume.
  for ((__il_index = 0; __il_index < ${#__il_mounted[@]}; __il_index++)); do
    [[ $1/ == "${__il_mounted[__il_index]}"/* ]] && return 0
  done
  __il_tool mount -t tmpfs -o mode=755 interlink "$1" || return 1
  __il_ours[$1]=1
  set +f
  shopt -s dotglob nullglob
  local __il_entries=("$__il_host$1"/*)
  shopt -u dotglob nullglob
  set -f
  if ((${#__il_entries[@]})); then __il_tool ln -s -- "${__il_entries[@]}" "$1/"; fi
}

__il_words=()
while IFS= read -r -d '' __il_word; do
  __il_words+=("$__il_word")
done <"$__il_directory/mounts"
__il_workdir=${__il_words[0]}
__il_mounted=()

__il_make_root || __il_fail "the container's root could not be made"
for ((__il_at = 1; __il_at + 2 < ${#__il_words[@]}; __il_at += 3)); do
  __il_target=${__il_words[__il_at]}
  __il_source=$__il_host${__il_words[__il_at + 1]}
  __il_option=${__il_words[__il_at + 2]}
  if [[ -d $__il_source ]]; then
    __il_make_directory "$__il_target"
  else
    __il_parent=${__il_target%/*}
    __il_make_directory "${__il_parent:-/}" &&
      if [[ ! -e $__il_target ]]; then
        __il_make_room "$__il_physical" && : >"$__il_target"
      fi
    __il_physical=${__il_physical%/}/${__il_target##*/}
  fi || __il_fail "the mount point $__il_target could not be made"
  # A link to a file of the host that stands in the way would be followed; the volume takes its place.
  if [[ -L $__il_physical ]]; then __il_tool rm -- "$__il_physical" && : >"$__il_physical"; fi
  __il_tool mount --rbind "$__il_source" "$__il_physical" ||
    __il_fail "the volume at $__il_target could not be mounted"
  if [[ $__il_option == ro ]]; then
    __il_tool mount -o remount,bind,ro "$__il_physical" ||
      __il_fail "the volume at $__il_target could not be made read-only"
  fi
  __il_mounted+=("$__il_physical")
done

cd -- "$__il_workdir" || __il_fail "the working directory $__il_workdir cannot be entered"
: >"$__il_host$__il_directory/entered"
unset SHLVL PWD OLDPWD
exec -- "$@"
