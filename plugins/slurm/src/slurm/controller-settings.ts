/** What this plugin wants to know of `slurm.conf`; missing: not told. */
export interface ControllerSettings {
  /** e.g. `22.05.8`. */
  version?: string;
  /** Seconds between SIGTERM and SIGKILL at a job's end. */
  killWaitSeconds?: number;
  /** Seconds for which an ended job is still known. */
  minJobAgeSeconds?: number;
  /** Of a job's script. Slurm's default is 4 MiB. */
  maxScriptBytes: number;
  /** Whether `sacct` knows ended jobs. */
  hasAccounting: boolean;
}

const DEFAULT_SCRIPT_BYTES = 4 * 1024 * 1024;

/** Reads `scontrol show config`; never throws, as nothing here is vital. */
export function parseSettings(output: string): ControllerSettings {
  const values = new Map<string, string>();
  for (const [, key = "", value = ""] of output.matchAll(/^(\w+)\s*= (.*)$/gm)) {
    values.set(key.toLowerCase(), value.trim());
  }
  const seconds = (key: string): number | undefined => {
    const digits = /^(\d+)(?: sec)?$/.exec(values.get(key) ?? "")?.[1];
    return digits === undefined ? undefined : Number(digits);
  };
  const version = values.get("slurm_version");
  const killWaitSeconds = seconds("killwait");
  const minJobAgeSeconds = seconds("minjobage");
  const script = /(?:^|,)max_script_size=(\d+)/.exec(values.get("schedulerparameters") ?? "")?.[1];
  return {
    ...(version !== undefined && { version }),
    ...(killWaitSeconds !== undefined && { killWaitSeconds }),
    ...(minJobAgeSeconds !== undefined && { minJobAgeSeconds }),
    maxScriptBytes: script === undefined ? DEFAULT_SCRIPT_BYTES : Number(script),
    hasAccounting: /slurmdbd/.test(values.get("accountingstoragetype") ?? ""),
  };
}
