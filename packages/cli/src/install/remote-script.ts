/**
 * The script that a site's administrator starts and stops the site's two processes with. Nothing is filled in: all that
 * differs between sites it reads from the files beside it.
 */
export const REMOTE_SCRIPT = String.raw`#!/usr/bin/env bash
# interlink-remote.sh install|start|stop|restart|status|help
# Runs an interLink API server and its plugin as this user, from the files beside this script.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")"
umask 077

# INTERLINK names the command if it is not on the PATH.
INTERLINK="$(command -v "\${INTERLINK:-interlink}" || true)"
KIND="$(cat plugin.kind)"

fail() {
  printf 'interlink-remote.sh: %s\n' "$1" >&2
  exit 1
}

need_command() {
  [ -n "$INTERLINK" ] || fail "there is no command interlink: install it, or set INTERLINK to its path."
}

# A pid file may be old, and its number another program's by now.
is_running() {
  local pid
  pid="$(cat "$1.pid" 2>/dev/null || true)"
  [ -n "$pid" ] && [ -r "/proc/$pid/environ" ] &&
    { tr '\0' '\n' <"/proc/$pid/environ"; } 2>/dev/null | grep -xF "INTERLINK_REMOTE=$PWD/$1" >/dev/null
}

launch() {
  local name="$1"
  shift
  if is_running "$name"; then
    echo "$name runs already (process $(cat "$name.pid"))."
    return
  fi
  INTERLINK_REMOTE="$PWD/$name" setsid nohup "$@" >>"logs/$name.log" 2>&1 </dev/null &
  echo "$!" >"$name.pid"
  while ! is_running "$name"; do
    kill -0 "$(cat "$name.pid")" 2>/dev/null || fail "$name ended at once; see logs/$name.log."
    sleep 0.1
  done
  echo "$name starts (process $(cat "$name.pid")); its log is logs/$name.log."
}

halt() {
  local name="$1" pid waited=0
  if ! is_running "$name"; then
    rm -f "$name.pid"
    echo "$name does not run."
    return
  fi
  pid="$(cat "$name.pid")"
  kill "$pid"
  while is_running "$name"; do
    [ "$waited" -lt 300 ] || fail "$name (process $pid) does not end; see logs/$name.log."
    waited=$((waited + 1))
    sleep 0.1
  done
  rm -f "$name.pid"
  echo "$name has stopped; its pods run on."
}

install_site() {
  need_command
  mkdir -p logs data
  "$INTERLINK" config check --for server InterLinkConfig.yaml
  if [ -e plugin.yaml ]; then "$INTERLINK" config check --for "$KIND" plugin.yaml; fi
  if [ "$KIND" = slurm ] && ! command -v sinfo >/dev/null; then
    fail "there is no sinfo on the PATH: run this where Slurm's programs are."
  fi
  echo "All is there. Next: ./interlink-remote.sh start"
}

start_site() {
  need_command
  mkdir -p logs data
  local options=(--listen "unix://$PWD/plugin.sock" --root "$PWD/data")
  if [ -e plugin.yaml ]; then options+=(--config "$PWD/plugin.yaml"); fi
  launch plugin "$INTERLINK" plugin "$KIND" "\${options[@]}"
  launch server "$INTERLINK" server --config "$PWD/InterLinkConfig.yaml"
}

stop_site() {
  halt server
  halt plugin
}

status_site() {
  local name down=0
  for name in server plugin; do
    if is_running "$name"; then
      echo "$name runs (process $(cat "$name.pid"))."
    else
      echo "$name does not run."
      down=1
    fi
  done
  return "$down"
}

usage() {
  cat <<'END'
interlink-remote.sh install   look whether all that is needed is here
interlink-remote.sh start     start the plugin and the API server
interlink-remote.sh stop      stop both; pods run on
interlink-remote.sh restart   stop, then start
interlink-remote.sh status    whether both run
END
}

case "\${1:-}" in
  install) install_site ;;
  start) start_site ;;
  stop) stop_site ;;
  restart)
    stop_site
    start_site
    ;;
  status) status_site ;;
  help | --help | -h) usage ;;
  *)
    usage >&2
    exit 2
    ;;
esac
`.replaceAll("\\${", "${");
