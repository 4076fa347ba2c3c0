import { access, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { DeviceUnit } from "./inventory.ts";

/** GPUs of the machine, and what keeps others from being used, as sentences. */
export interface FoundDevices {
  units: DeviceUnit[];
  problems: string[];
}

/** By a NVIDIA driver, in the file of one GPU. */
export interface NvidiaInformation {
  /** Absent: the driver does not tell it. */
  uuid?: string;
  /** The driver was told to leave this GPU alone. */
  isExcluded: boolean;
}

const UUID = /^GPU-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const PCI_ADDRESS = /^[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-9a-f]$/i;

/** Reads `/proc/driver/nvidia/gpus/<address>/information`, lines of `Key: value`. */
export function readNvidiaInformation(text: string): NvidiaInformation {
  const values = new Map(
    text.split("\n").map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
    }),
  );
  const uuid = values.get("GPU UUID") ?? "";
  return {
    // A GPU that was never opened shows question marks.
    ...(UUID.test(uuid) && { uuid }),
    // Older drivers have another word for it.
    isExcluded: [values.get("GPU Excluded"), values.get("GPU Blacklisted")].includes("Yes"),
  };
}

/** The GPUs that a NVIDIA driver has on this machine, by UUID. `root` is `/` but for tests. */
export async function findNvidia(root: string): Promise<FoundDevices> {
  const folder = join(root, "proc/driver/nvidia/gpus");
  const units: DeviceUnit[] = [];
  const problems: string[] = [];
  const addresses = await namesIn(folder, PCI_ADDRESS);
  for (const address of addresses) {
    const text = await readFile(join(folder, address, "information"), "utf8");
    const { uuid, isExcluded } = readNvidiaInformation(text);
    if (isExcluded) continue;
    if (uuid !== undefined) units.push({ id: uuid });
    else {
      problems.push(
        `The NVIDIA driver does not tell the UUID of the GPU at ${address}: start nvidia-persistenced, then the plugin again.`,
      );
    }
  }
  if (addresses.length === 0) problems.push(`There is no GPU of a NVIDIA driver in ${folder}.`);
  return { units, problems };
}

/** The GPUs that the amdgpu driver has on this machine, by PCI address, with their device nodes. */
export async function findAmd(root: string): Promise<FoundDevices> {
  const folder = join(root, "sys/module/amdgpu/drivers/pci:amdgpu");
  const units: DeviceUnit[] = [];
  const addresses = await namesIn(folder, PCI_ADDRESS);
  if (addresses.length === 0) {
    return { units, problems: [`There is no GPU of the amdgpu driver in ${folder}.`] };
  }
  if (!(await exists(join(root, "dev/kfd")))) {
    return { units, problems: ["There is no /dev/kfd, which computing on AMD GPUs needs."] };
  }
  const problems: string[] = [];
  for (const address of addresses) {
    const nodes = await namesIn(join(folder, address, "drm"), /^(?:card|renderD)\d+$/);
    const devices = nodes.map((node) => `/dev/dri/${node}`);
    if (nodes.some((node) => node.startsWith("renderD"))) units.push({ id: address, devices });
    else problems.push(`The AMD GPU at ${address} has no render node in /dev/dri.`);
  }
  return { units, problems };
}

/** In an order that is the same each time. */
async function namesIn(folder: string, pattern: RegExp): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => pattern.test(name)).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
