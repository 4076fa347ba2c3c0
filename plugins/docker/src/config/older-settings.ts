/** Variables of the earlier Docker plugin, and any others. */
export type OlderEnvironment = Readonly<Record<string, string | undefined>>;

/** What the settings of the earlier plugin mean here. */
interface Older {
  root?: string;
  listen?: string;
  logLevel?: "debug" | "error";
}

/** Keys of the earlier plugin's file that mean nothing here; it read most of them and used none. */
const IGNORED_KEYS: Readonly<Record<string, string>> = Object.fromEntries(
  (
    "VKConfigPath VKTokenFile InterlinkURL SidecarURL SbatchPath ScancelPath SqueuePath InterlinkPort CommandPrefix " +
    "ExportPodData ServiceAccount Namespace Tsocks TsocksPath TsocksConfig TsocksLoginNode BashPath PodIP SingularityPrefix"
  )
    .split(" ")
    .map((key) => [key, "it had no effect in the earlier plugin either"]),
);

const NO_EFFECT = "it had no effect in the earlier plugin either";
const NO_TRACES = "this plugin sends no traces";

const IGNORED_VARIABLES: Readonly<Record<string, string>> = {
  AVAILABLEDINDS: "pods run on the engine itself, so nothing has to be kept ready",
  GPUENABLED: "list the GPUs under devices in the configuration file",
  FPGAENABLED: "list the FPGAs under devices in the configuration file",
  FPGA_DISABLE_BOOKKEEPING: "a device is never given to two pods",
  ENABLE_TRACING: NO_TRACES,
  TELEMETRY_UNIQUE_ID: NO_TRACES,
  TELEMETRY_ENDPOINT: NO_TRACES,
  TELEMETRY_CA_CRT_FILEPATH: NO_TRACES,
  TELEMETRY_CLIENT_KEY_FILEPATH: NO_TRACES,
  TELEMETRY_CLIENT_CRT_FILEPATH: NO_TRACES,
  ...Object.fromEntries(
    "INTERLINKURL SIDECARURL INTERLINKPORT SBATCHPATH SCANCELPATH POD_IP TSOCKS TSOCKSPATH VKTOKENFILE"
      .split(" ")
      .map((name) => [name, NO_EFFECT]),
  ),
};

const KNOWN_KEYS = [
  "SidecarPort",
  "Socket",
  "DataRootFolder",
  "VerboseLogging",
  "ErrorsOnlyLogging",
];

/** Takes the earlier plugin's settings out of the file, and says which of them are ignored. */
export function readOlderSettings(
  file: Readonly<Record<string, unknown>>,
  env: OlderEnvironment,
): { own: Record<string, unknown>; older: Older; notices: string[] } {
  const notices: string[] = [];
  const own: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(file)) {
    if (Object.hasOwn(IGNORED_KEYS, key)) notices.push(`${key} is ignored: ${IGNORED_KEYS[key]}.`);
    else if (!KNOWN_KEYS.includes(key)) own[key] = value;
  }
  for (const [name, why] of Object.entries(IGNORED_VARIABLES)) {
    const value = env[name] ?? "";
    if (value !== "" && value !== "0") notices.push(`${name} is ignored: ${why}.`);
  }
  const { Socket: socket, DataRootFolder: root } = file;
  const port = env["SIDECARPORT"] || file["SidecarPort"];
  const listen = text(socket) ?? (text(port) === undefined ? undefined : `:${text(port)}`);
  const level =
    file["VerboseLogging"] === true ? "debug" : file["ErrorsOnlyLogging"] === true ? "error" : "";
  return {
    own,
    older: {
      ...(text(root) !== undefined && { root: text(root) as string }),
      // The earlier plugin was open to every machine; it is not by default any more.
      ...(listen !== undefined && {
        listen: listen.startsWith(":") ? `127.0.0.1${listen}` : listen,
      }),
      ...(level !== "" && { logLevel: level }),
    },
    notices: listen?.startsWith(":")
      ? [...notices, "SidecarPort listens on 127.0.0.1 only; use --listen to open it to others."]
      : notices,
  };
}

/** Ports are written with and without quotes. */
function text(value: unknown): string | undefined {
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value !== "" ? value : undefined;
}
