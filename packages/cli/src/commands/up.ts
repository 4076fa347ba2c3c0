import {
  createKubeClient,
  isKubeError,
  type KubeClient,
  loadKubeCredentials,
  paths,
  pause,
} from "@interlink/kube";
import { LogScope } from "@interlink/plugin-sdk";
import type { Pod } from "kubernetes-types/core/v1.js";
import type { CliContext } from "../cli-context.ts";
import { CliError } from "../cli-error.ts";
import type { UpFlags } from "../flags.ts";
import { parsePort } from "../listen.ts";
import { openLog, untilAborted } from "../logging.ts";
import { type Applied, applyManifests } from "../up/apply.ts";
import { choosePlugin } from "../up/choose-plugin.ts";
import { type LocalSystem, NODE_NAME, startLocalSystem } from "../up/local-system.ts";
import { type Manifest, readManifests } from "../up/manifests.ts";
import { openScreen, type Screen } from "../up/screen.ts";
import { openStateDirectory } from "../up/state-directory.ts";
import { Workloads } from "../up/workloads.ts";
import { readVersion } from "../version.ts";

/** Longest that pods get to end after Ctrl-C, whatever their grace period. */
const STOP_SECONDS = 10;

/** `interlink up`: a whole system on this machine, with the manifests in it. */
export async function up(
  files: readonly string[],
  flags: UpFlags,
  context: CliContext,
): Promise<void> {
  const { stdout, stderr, env, signal } = context;
  // Before anything is started: what the person may have got wrong.
  const port = parsePort(flags.port, "--port");
  if (flags.exit === true && files.length === 0) {
    throw new CliError(
      "usage",
      "--exit waits for the pods of a manifest: name one, or - for standard input.",
    );
  }
  const manifests = await readManifests(files, context.stdin, signal);
  const chosen = await choosePlugin(flags.plugin, env, signal);
  const state = await openStateDirectory(flags.name, flags.stateDir, env);

  const screen = openScreen(stdout, env, Date.now);
  try {
    screen.print(screen.strong(`interLink ${readVersion()}`));
    screen.print(`Plugin          ${chosen.plugin} (${chosen.reason})`);
    if (chosen.plugin === "process") {
      screen.print("                Processes isolate nothing: a pod's command runs as you, here.");
    }
    const scope = new LogScope();
    await using system = await startLocalSystem({
      state,
      version: readVersion(),
      chosen,
      port,
      logger: openLog(undefined, flags.logLevel, stderr, scope),
      scope,
      signal,
      progress: (text) => screen.busy(text),
      notice: (text) => screen.print(text),
    });
    screen.print(`Virtual node    ${NODE_NAME}`);
    screen.print(`Kubernetes API  ${system.cluster.url}`);
    screen.print(`                ${exportLine(system.cluster.kubeconfigFile)}`);
    const kube = createKubeClient(
      await loadKubeCredentials({ kubeconfigYaml: system.cluster.kubeconfigYaml }),
    );
    try {
      await run({ manifests, exit: flags.exit === true, screen, kube, system, context });
    } finally {
      await stopPods(kube, screen, context);
      await kube.close();
    }
  } finally {
    screen.close();
  }
}

interface Run {
  manifests: readonly Manifest[];
  exit: boolean;
  screen: Screen;
  kube: KubeClient;
  system: LocalSystem;
  context: CliContext;
}

async function run({ manifests, exit, screen, kube, system, context }: Run): Promise<void> {
  const { signal } = context;
  const applied = await applyManifests(kube, manifests, signal);
  for (const { kind, name } of applied) screen.print(`${kind.toLowerCase()}/${name} created`);
  await using workloads = new Workloads(kube, screen);
  if (exit) {
    context.setExitCode(await orInterrupted(workloads.ended(applied, signal), signal));
    return;
  }
  await showFirstEnd(workloads, applied, screen, system.cluster.kubeconfigFile, signal);
  await untilAborted(signal);
  screen.print("Stopping. Press Ctrl-C again to leave at once.");
}

/** Tell, once the manifests' pods have ended, that the system is still there and how to use it. */
async function showFirstEnd(
  workloads: Workloads,
  applied: readonly Applied[],
  screen: Screen,
  kubeconfig: string,
  signal: AbortSignal,
): Promise<void> {
  try {
    if (applied.length > 0) await workloads.ended(applied, signal);
    screen.print("The system stays up until Ctrl-C. In another terminal:");
    screen.print(`  ${exportLine(kubeconfig)}`);
    screen.print("  kubectl get pods,nodes");
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** Ctrl-C while waiting is the usual 130 of a shell, not an error. */
async function orInterrupted(exitCode: Promise<number>, signal: AbortSignal): Promise<number> {
  try {
    return await exitCode;
  } catch (error) {
    if (signal.aborted) return 130;
    throw error;
  }
}

/** Delete all pods and wait until they are gone: the embedded cluster forgets them, their containers must not stay. */
async function stopPods(
  kube: KubeClient,
  screen: Screen,
  { impatience, stderr }: CliContext,
): Promise<void> {
  const deadline = AbortSignal.any([impatience, AbortSignal.timeout((STOP_SECONDS + 5) * 1_000)]);
  try {
    // A Job would start new pods for the deleted ones.
    for (const job of (await kube.list<Pod>(paths.jobs.collection(), { signal: deadline })).items) {
      await remove(kube, paths.jobs.named(namespace(job), name(job)), deadline);
    }
    for (;;) {
      const { items } = await kube.list<Pod>(paths.pods.collection(), { signal: deadline });
      if (items.length === 0) return;
      screen.busy(
        `stopping ${items.length === 1 ? `pod/${name(items[0])}` : `${items.length} pods`}`,
      );
      for (const pod of items) {
        if (pod.metadata?.deletionTimestamp !== undefined) continue;
        await remove(kube, paths.pods.named(namespace(pod), name(pod)), deadline);
      }
      await pause(100, deadline);
    }
  } catch (error) {
    stderr.write(
      `interlink: not every pod was seen to end (${(error as Error).message}); the next "interlink up" cleans up.\n`,
    );
  }
}

async function remove(kube: KubeClient, path: string, signal: AbortSignal): Promise<void> {
  const body = { gracePeriodSeconds: STOP_SECONDS, propagationPolicy: "Background" };
  try {
    await kube.delete(path, body, { signal });
  } catch (error) {
    if (!isKubeError(error, "not-found")) throw error;
  }
}

/** To be copied into a shell. */
function exportLine(file: string): string {
  const word = /^[\w@%+=:,./-]+$/.test(file) ? file : `'${file.replaceAll("'", `'\\''`)}'`;
  return `export KUBECONFIG=${word}`;
}

function namespace(object: Pod): string {
  return object.metadata?.namespace ?? "default";
}

function name(object: Pod | undefined): string {
  return object?.metadata?.name ?? "";
}
