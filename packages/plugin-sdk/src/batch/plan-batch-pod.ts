import { createHash } from "node:crypto";
import { PluginError } from "../plugin-error.ts";
import { resolveContainer } from "../resolve/resolve-container.ts";
import { checkNames } from "../supervisor/check-pod.ts";
import { TERMINATION_FILE } from "../supervisor/perform/read-ended-messages.ts";
import { messageLimit } from "../supervisor/perform/termination-message.ts";
import type { PlannedContainer, PlannedPod } from "../supervisor/planned-pod.ts";
import { planPod } from "../supervisor/planned-pod.ts";
import type { BatchContainerSpec, BatchFile, BatchPod, PlanBatchPodOptions } from "./contract.ts";
import { batchContainerDirectory, batchEnvironmentFile } from "./contract.ts";
import {
  encodeSettings,
  encodeWords,
  nulSeparated,
  SETTINGS_FILE,
  type Settings,
} from "./encode.ts";
import { planHooks, planProbes } from "./plan-probes.ts";
import { type BatchVolumes, planBatchVolumes } from "./plan-volumes.ts";
import { restartSettings } from "./restart-settings.ts";
import { variablesFromFiles } from "./variables-from-files.ts";

/** Kubernetes' for crashed containers (`pkg/kubelet/kubelet.go`). */
const BACK_OFF = { firstMs: 10_000, mostMs: 300_000 };
const TERMINATION_PATH = "/dev/termination-log";

/**
 * A pod as one batch job. Throws `PluginError`: `invalid` for a pod that is not sound, `rejected` in words for its owner
 * for one that asks for what a job cannot give.
 */
export function planBatchPod(options: PlanBatchPodOptions): BatchPod {
  const { data, runtime, backOff = BACK_OFF } = options;
  checkNames(data.pod);
  const plan = planPod(data.pod);
  if (plan.regular.length === 0) {
    throw new PluginError("invalid", `The pod ${plan.namespace}/${plan.name} has no containers.`);
  }
  const volumes = planBatchVolumes(data, options.hostVolume);
  const containers = plan.all;
  const settings: Settings = [
    ["containers", containers.length],
    ["inits", plan.init.length],
    ["grace", plan.graceSeconds * 1000],
    ["messageBytes", messageLimit(plan.init.length + plan.regular.length)],
    ["backOffFirst", backOff.firstMs],
    ["backOffMost", backOff.mostMs],
    ["directories", volumes.directories.length],
    ...volumes.directories.flatMap(
      ({ path, mode, tree }, index): Settings => [
        [`directory.${index}.path`, path],
        [`directory.${index}.mode`, mode.toString(8)],
        ...(tree === undefined ? [] : ([[`directory.${index}.tree`, tree]] satisfies Settings)),
      ],
    ),
  ];
  const files = [...volumes.files];
  for (const [index, planned] of containers.entries()) {
    const own = planContainer(planned, plan, volumes, options);
    settings.push(
      ...own.settings.map(([key, value]): Settings[number] => [`${index}.${key}`, value]),
    );
    files.push(...own.files);
  }
  if (runtime.exportPrefix !== undefined && !/^[A-Za-z0-9_]*$/.test(runtime.exportPrefix)) {
    throw new PluginError("internal", "A runtime's exportPrefix is letters, digits and _.");
  }
  const version = versionOf(settings, files);
  settings.push(["version", version]);
  files.push({ path: SETTINGS_FILE, mode: 0o600, content: encodeSettings(settings) });
  return {
    files,
    containers: containers.map(({ name, kind, container }) => ({
      name,
      kind,
      image: container.image ?? "",
    })),
    pod: data.pod,
    version,
  };
}

/** Of all that containers are made of, which does not count what is in volumes. */
function versionOf(settings: Settings, files: readonly BatchFile[]): string {
  const keys = settings.map(([key, value]) =>
    /^directory\.\d+\.tree$/.test(key) ? "" : `${key}\0${value}\0`,
  );
  // In few pieces, as each one costs more than its bytes.
  const pieces = files.flatMap(({ path, content }) =>
    path.startsWith("spec/") ? [Buffer.from(`${path}\0${content.length} `), content] : [],
  );
  const hash = createHash("sha256").update(keys.join("")).update(Buffer.concat(pieces));
  return hash.digest("hex").slice(0, 20);
}

function planContainer(
  planned: PlannedContainer,
  plan: PlannedPod,
  volumes: BatchVolumes,
  { data, runtime }: PlanBatchPodOptions,
): { settings: Settings; files: BatchFile[] } {
  const { name, kind, container } = planned;
  const directory = batchContainerDirectory(name);
  const addresses = { podIPs: [], hostIP: data.pod.status?.hostIP ?? "" };
  const fromFiles = variablesFromFiles(container, volumes);
  const resolved = resolveContainer(data.pod, container, addresses, fromFiles);
  const { mounts, subPaths } = volumes.mounts(container, resolved.env);
  const spec: BatchContainerSpec = {
    kind,
    container,
    ...resolved,
    mounts,
    terminationMessage: {
      source: [{ attemptPath: TERMINATION_FILE }],
      mountPath: container.terminationMessagePath || TERMINATION_PATH,
      readOnly: false,
    },
  };
  const file = (path: string, content: Uint8Array): BatchFile => ({
    path: `${directory}/${path}`,
    mode: 0o600,
    content,
  });
  const prepare = runtime.prepare?.(spec) ?? [];
  const asks = [
    ...(kind === "init" ? [] : planProbes(spec, plan, runtime)),
    ...planHooks(spec, runtime),
  ];
  const stopSignal = (container.lifecycle as { stopSignal?: string } | undefined)?.stopSignal;
  const environment = resolved.env.map((variable) => `${variable.name}=${variable.value}`);
  return {
    settings: [
      ["name", name],
      ["kind", spec.kind],
      ...(planned.target === undefined ? [] : ([["target", planned.target]] satisfies Settings)),
      ["image", container.image || "-"],
      ["prepare", prepare.length],
      ["signal", signalName(stopSignal)],
      ["fallback", container.terminationMessagePolicy === "FallbackToLogsOnError" ? "yes" : ""],
      ["enter", runtime.enter === true ? "yes" : ""],
      ["console", container.tty ? "tty" : container.stdin ? "pipe" : ""],
      ["exports", runtime.exportPrefix === undefined ? "" : "yes"],
      ["prefix", runtime.exportPrefix ?? ""],
      ...restartSettings(container, plan.restartPolicy),
      ...asks.flatMap(({ settings }) => settings),
    ],
    files: [
      file("run", encodeWords(`command line of container ${name}`, runtime.run(spec))),
      // What comes before any command, for people's own (`exec` of the script).
      file("exec", encodeWords(`exec of container ${name}`, runtime.exec(spec, []), [])),
      {
        path: batchEnvironmentFile(name),
        mode: 0o600,
        content: nulSeparated("environment", environment),
      },
      ...prepare.map((words, index) =>
        file(`prepare-${index}`, encodeWords(`preparation of container ${name}`, words)),
      ),
      ...asks.flatMap((ask) => (ask.content ? [file(ask.name, ask.content)] : [])),
      ...(subPaths.length === 0
        ? []
        : [
            file(
              "subpaths",
              nulSeparated(
                "subPath of a mount",
                subPaths.flatMap((one) => [
                  one.root,
                  one.path,
                  one.volume,
                  one.isCopy ? "copy" : "",
                ]),
              ),
            ),
          ]),
      ...(runtime.files?.(spec) ?? []),
    ],
  };
}

/** As bash's kill takes it. SIGTERM for what is none. */
function signalName(name = "SIGTERM"): string {
  const found = /^SIG([A-Z][A-Z0-9]*(?:[+-]\d+)?)$/.exec(name);
  return found?.[1] ?? "TERM";
}
