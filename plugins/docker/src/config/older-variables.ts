/** Variables of the earlier plugin that stand for no key, and why they are ignored. */
const IGNORED: Readonly<Record<string, string>> = {
  AVAILABLEDINDS: "pods run on the engine itself, so nothing has to be kept ready",
  GPUENABLED: "list the GPUs under devices in the configuration file",
  FPGAENABLED: "list the FPGAs under devices in the configuration file",
  FPGA_DISABLE_BOOKKEEPING: "a device is never given to two pods",
};

/** A sentence for each of them that is set. */
export function ignoredVariables(env: Readonly<Record<string, string | undefined>>): string[] {
  return Object.entries(IGNORED)
    .filter(([name]) => !["", "0", undefined].includes(env[name]))
    .map(([name, why]) => `${name} is ignored: ${why}.`);
}
