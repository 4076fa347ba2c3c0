import { shellQuoted } from "../submit/shell-words.ts";

/** How jobs reach the outside where compute nodes cannot: by ssh through another machine (`Tsocks…` of the configuration). */
export interface TunnelSettings {
  /** Program on the compute nodes. */
  ssh: string;
  /** Words for it, before the machine's name. */
  options: readonly string[];
  /** As ssh is told it, `user@host` too. */
  node: string;
  /** Absolute path of libtsocks on the compute nodes; `undefined`: only images are pulled through the tunnel. */
  library?: string;
  /** IPv4 networks that are reached directly, `address/bits`. */
  direct: readonly string[];
}

/** In the job's directory: what libtsocks reads. */
export const TUNNEL_FILE = "tsocks.conf";

/** How long a job tries to open its tunnel before its pod fails. */
const OPEN_SECONDS = 60;

/**
 * Fixed, for every job: functions that the job's script calls before its pod begins, and when it ends.
 *
 * `il_open_tunnel DIRECTORY SECONDS LIBRARY NODE DIRECT SETTINGS SSH OPTION...` has ssh listen on a free port of this
 * machine as a SOCKS proxy. ssh itself finds out whether a port is free: it ends if not, and another is tried. That it
 * listens, and nobody else there, is known by its control socket, which it makes only then. SETTINGS is what goes into
 * DIRECTORY/tsocks.conf behind the port, DIRECT are the networks of NO_PROXY. If all fails, `il_refused` says why.
 *
 * ssh is the leader's of a process group of its own, which ends with the job's script, whatever ends that. Signals to the
 * job do not end it, as containers may need it until they have ended; if it ends by itself, it is begun again.
 */
export const TUNNEL_SCRIPT = `il_open_tunnel() {
  local PATH=/usr/bin:/bin:$PATH il_place il_port il_said il_until=$((SECONDS + $2)) il_pause=0
  local il_file=$1/${TUNNEL_FILE} il_library=$3 il_node=$4 il_direct=$5 il_settings=$6
  shift 6
  il_refused="a tunnel to $il_node is needed (Tsocks), and could not be opened"
  if [[ -n $il_library && ! -r $il_library ]]; then
    il_refused="the library of tsocks (TsocksPath), $il_library, cannot be read on this compute node"
    return 1
  fi
  # The path of a socket must be short.
  il_place=$(umask 077 && mktemp -d /tmp/interlink-tunnel.XXXXXXXXXX) || return 1
  while :; do
    il_port=$((10240 + RANDOM % 22528))
    set -m
    il_hold_tunnel "$il_place" "$il_port" "$il_node" "$@" </dev/null >/dev/null 2>"$il_place/said" &
    il_tunnel=$!
    set +m
    # Its end is nothing for bash to speak of.
    disown "$il_tunnel"
    # A try that has begun is given the time to say why it fails.
    while [[ ! -S $il_place/ssh ]] && kill -0 "$il_tunnel" 2>/dev/null && ((SECONDS < il_until + 30)); do
      sleep 0.1
    done
    if [[ -S $il_place/ssh ]] && kill -0 "$il_tunnel" 2>/dev/null; then break; fi
    il_close_tunnel
    IFS= read -r -d '' il_said < <(tail -n 1 -- "$il_place/said" | head -c 1024)
    if ((SECONDS >= il_until)); then
      il_said=\${il_said%$'\\n'}
      il_refused+=": \${il_said:-ssh does not answer}"
      rm -rf -- "$il_place"
      return 1
    fi
    # Not all jobs that begin together at the same moment again.
    sleep "$il_pause.$((RANDOM % 9 + 1))"
    il_pause=$((il_pause == 0 ? 1 : il_pause < 8 ? il_pause * 2 : 8))
  done
  rm -rf -- "$il_place"
  (umask 077 && printf 'server = 127.0.0.1\\nserver_type = 5\\nserver_port = %s\\n%s' "$il_port" "$il_settings" >"$il_file") || return 1
  export INTERLINK_PROXY=127.0.0.1:$il_port INTERLINK_NO_PROXY=$il_direct
  il_refused=''
}
il_hold_tunnel() {
  local il_place=$1 il_port=$2 il_node=$3 il_pause=1 il_began
  shift 3
  set -- "$@" -N -T -a -x -o BatchMode=yes -o ExitOnForwardFailure=yes -o ControlPersist=no -o ConnectTimeout=15 \\
    -o ServerAliveInterval=15 -o LogLevel=ERROR -D "127.0.0.1:$il_port"
  set +m
  trap '' TERM INT HUP QUIT
  trap - EXIT
  (
    tail --pid="$$" -s 1 -f /dev/null
    kill -KILL 0
  ) &
  "$@" -M -S "$il_place/ssh" -- "$il_node"
  # The place is there until the tunnel is open.
  while [[ ! -e $il_place ]]; do
    sleep "$il_pause.$((RANDOM % 10))"
    il_began=$SECONDS
    "$@" -M -S none -- "$il_node"
    il_pause=$((SECONDS - il_began > 60 ? 1 : il_pause < 32 ? il_pause * 2 : 32))
  done
  kill -KILL 0
}
il_close_tunnel() {
  if [[ -n \${il_tunnel-} ]]; then kill -KILL -- "-$il_tunnel"; fi
  il_tunnel=''
} 2>/dev/null
`;

/** The lines of a job's script that open the tunnel. Settings are one word each, whatever is in them. */
export function openTunnel(tunnel: TunnelSettings, seconds = OPEN_SECONDS): string[] {
  const { library = "", node, ssh, options, direct } = tunnel;
  const local = direct.map((network) => `local = ${withMask(network)}\n`).join("");
  const words = [library, node, direct.join(","), local, ssh, ...options]
    .map(shellQuoted)
    .join(" ");
  return [
    TUNNEL_SCRIPT,
    "trap il_close_tunnel EXIT",
    `il_open_tunnel "$1" ${seconds} ${words}`,
    // What shell text of the site and of pods starts on the compute node goes through it as well.
    ...(tunnel.library === undefined
      ? []
      : [
          `if [[ -z $il_refused ]]; then`,
          `  export TSOCKS_CONF_FILE=$1/${TUNNEL_FILE} LD_PRELOAD=${shellQuoted(library)}\${LD_PRELOAD:+:$LD_PRELOAD}`,
          "fi",
        ]),
  ];
}

/** The lines behind shell text: the runtime itself is not to make its connections through the library. */
export function leaveTunnel({ library }: TunnelSettings): string[] {
  if (library === undefined) return [];
  const own = shellQuoted(library);
  return [
    "unset TSOCKS_CONF_FILE",
    `if [[ \${LD_PRELOAD-} == ${own} ]]; then unset LD_PRELOAD; fi`,
    `if [[ \${LD_PRELOAD-} == ${own}:* ]]; then LD_PRELOAD=\${LD_PRELOAD#${own}:}; fi`,
  ];
}

/** `10.0.0.0/8` as libtsocks writes it, `10.0.0.0/255.0.0.0`. */
function withMask(network: string): string {
  const [address = "", bits = "32"] = network.split("/");
  const mask = Number(bits) === 0 ? 0 : (0xff_ff_ff_ff << (32 - Number(bits))) >>> 0;
  return `${address}/${[24, 16, 8, 0].map((shift) => (mask >>> shift) & 255).join(".")}`;
}
