import type { EngineClient } from "../engine/engine-client.ts";
import { type FoundDevices, findAmd, findNvidia } from "./find-devices.ts";
import type { DeviceResource, DeviceSetting } from "./inventory.ts";

/** Part of `GET /info`. */
export interface DeviceInfo {
  Runtimes?: Readonly<Record<string, unknown>> | null;
  /** Docker 28.2 and newer. */
  DiscoveredDevices?: readonly { Source?: string; ID?: string }[] | null;
}

/** What is there for a resource whose units were left out, and sentences for the operator. */
interface Completed {
  resource: DeviceResource;
  problems: string[];
}

/** Those that an engine lists by CDI for a resource, such as `nvidia.com/gpu`. */
export function cdiDevices(resource: string, info: DeviceInfo): string[] {
  return (info.DiscoveredDevices ?? [])
    .flatMap(({ Source, ID }) => (Source === "cdi" && ID?.startsWith(`${resource}=`) ? [ID] : []))
    .filter((id) => id !== `${resource}=all`)
    .sort();
}

/** `root` is `/` but for tests. */
export async function completeInventory(
  settings: readonly DeviceSetting[],
  engine: EngineClient,
  signal: AbortSignal,
  root = "/",
): Promise<{ inventory: DeviceResource[]; problems: string[] }> {
  const isComplete = settings.every(({ units }) => units !== undefined);
  const info = isComplete ? {} : await deviceInfo(engine, signal);
  const isLocal = engine.address.kind === "unix";
  const takesRequests = !settings.some(needsRequests) || !(await engine.isPodman());
  const all: Completed[] = [];
  for (const setting of settings) {
    all.push(
      needsRequests(setting) && !takesRequests
        ? withoutRequests(setting)
        : await complete(setting, info, isLocal, root),
    );
  }
  return {
    inventory: all.map(({ resource }) => resource),
    problems: all.flatMap(({ problems }) => problems),
  };
}

/** NVIDIA's and CDI's devices are asked for by device requests. */
function needsRequests({ kind }: DeviceSetting): boolean {
  return kind === "nvidia" || kind === "cdi";
}

/** Podman's compatible API overlooks them: its containers would run without what they asked for. */
function withoutRequests(setting: DeviceSetting): Completed {
  const problem = `Podman does not give ${setting.resource} to containers through its Docker-compatible API: pods get none here, unless the devices are listed by their nodes.`;
  return { resource: { ...setting, units: [] }, problems: [problem] };
}

async function complete(
  setting: DeviceSetting,
  info: DeviceInfo,
  isLocal: boolean,
  root: string,
): Promise<Completed> {
  const { resource, kind = "nodes", units } = setting;
  if (units !== undefined) return { resource: { ...setting, units }, problems: [] };
  const byCdi = cdiDevices(resource, info).map((id) => ({ id }));
  if (kind === "cdi") {
    const problem = `The engine lists no CDI device ${resource} (Docker 28.2 and newer do): list them under devices.`;
    return {
      resource: { ...setting, units: byCdi },
      problems: byCdi.length === 0 ? [problem] : [],
    };
  }
  const hasRuntime = Object.hasOwn(info.Runtimes ?? {}, "nvidia");
  // Without NVIDIA's runtime a list by CDI is the way that the engine gives them.
  if (kind === "nvidia" && !hasRuntime && byCdi.length > 0) {
    return { resource: { ...setting, kind: "cdi", units: byCdi }, problems: [] };
  }
  if (!isLocal) {
    const problem = `The devices of ${resource} cannot be found from here, as the engine is on another machine: list them under devices.`;
    return { resource: { ...setting, units: [] }, problems: [problem] };
  }
  const found: FoundDevices = kind === "amd" ? await findAmd(root) : await findNvidia(root);
  const problems = [...found.problems];
  if (kind === "nvidia" && found.units.length > 0 && !hasRuntime) {
    problems.push(
      "The engine does not list the runtime nvidia: if pods with GPUs do not start, install NVIDIA's container toolkit.",
    );
  }
  const shared = kind === "amd" ? (setting.shared ?? ["/dev/kfd"]) : setting.shared;
  return {
    resource: { ...setting, units: found.units, ...(shared && { shared }) },
    problems,
  };
}

async function deviceInfo(engine: EngineClient, signal: AbortSignal): Promise<DeviceInfo> {
  return engine.json<DeviceInfo>({ method: "GET", path: "/info", newest: true, signal });
}
