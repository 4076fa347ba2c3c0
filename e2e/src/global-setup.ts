import { availableParallelism } from "node:os";
import type { TestProject } from "vitest/node";
import { findApptainer } from "./systems/apptainer-system.ts";
import { dockerEngine } from "./systems/docker-system.ts";
import type { EngineKind } from "./systems/engine-system.ts";
import { findFaketime } from "./systems/faketime.ts";
import { findKubernetes } from "./systems/kubernetes-binaries.ts";
import { podmanEngine } from "./systems/podman-system.ts";
import { findProgram } from "./systems/programs.ts";
import type { Provided } from "./systems/provided.ts";
import type { SharedEngine } from "./systems/shared-engine.ts";
import { findSlurmReleases } from "./systems/slurm-releases.ts";
import { SharedSlurm } from "./systems/slurm-system.ts";
import { Turns } from "./turns/turns.ts";

/** Names in `INTERLINK_REQUIRE` (comma-separated) must be there; a missing one fails the run instead of skipping. */
function required(): Set<string> {
  return new Set((process.env.INTERLINK_REQUIRE ?? "").split(",").map((name) => name.trim()));
}

/**
 * Finds the real systems, or starts them, once for all test files, and hands their addresses over.
 * Gives back what stops them again.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const user = String(process.pid);
  const engines = { docker: dockerEngine(), podman: podmanEngine() };
  const slurm = new SharedSlurm();
  const turns: Turns[] = [];
  let held = true;
  const release = async (): Promise<void> => {
    if (!held) return;
    held = false;
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.off(signal, interrupted);
    for (const one of turns) await one[Symbol.asyncDispose]();
    for (const engine of Object.values(engines)) await engine.release(user);
    await slurm.release(user);
  };
  const interrupted = (): void => {
    release().catch((error: unknown) => process.stderr.write(`${String(error)}\n`));
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, interrupted);

  try {
    const { isReal } = await provideSystems(project, engines, user);
    const open = await Turns.open(seats(isReal));
    turns.push(open);
    project.provide("turns", open.address);
    project.provide("slurm", await attempt("slurm", "Slurm", () => slurm.acquire(user)));
    project.provide(
      "slurmReleases",
      await attempt("slurm-releases", "Other releases of Slurm", async () => findSlurmReleases()),
    );
    project.provide("apptainer", await attempt("apptainer", "Apptainer", () => findApptainer()));
  } catch (error) {
    // Nobody calls what this function would have given back.
    await release();
    throw error;
  }
  return release;
}

async function provideSystems(
  project: TestProject,
  engines: Readonly<Record<EngineKind, SharedEngine>>,
  user: string,
): Promise<{ isReal: boolean }> {
  for (const [kind, title] of [
    ["docker", "Docker"],
    ["podman", "Podman"],
  ] as const) {
    const provided = await attempt(kind, title, async () => {
      const system = await engines[kind].acquire(user);
      if (system.registry === undefined && required().has(kind)) {
        throw new Error(
          "there is no registry that it can pull from (Debian package docker-registry)",
        );
      }
      return system;
    });
    project.provide(kind, provided);
  }
  const path = findProgram("kubectl");
  project.provide(
    "kubectl",
    await attempt("kubectl", "kubectl", () =>
      path === undefined
        ? Promise.reject(new Error("there is none on the PATH"))
        : Promise.resolve({ path }),
    ),
  );
  const kubernetes = await attempt("kubernetes", "Kubernetes", () => findKubernetes());
  project.provide("kubernetes", kubernetes);
  project.provide("faketime", await attempt("faketime", "libfaketime", async () => findFaketime()));
  return { isReal: "system" in kubernetes };
}

/**
 * How many test files run at once. Most of the time they wait; but with a real control plane each of them has some
 * processes that are never idle.
 */
function seats(isReal: boolean): number {
  return Math.min(Math.max(availableParallelism(), 2), 6) + (isReal ? 0 : 2);
}

async function attempt<T>(
  name: string,
  title: string,
  find: () => Promise<T>,
): Promise<Provided<T>> {
  try {
    return { system: await find() };
  } catch (error) {
    const missing = error instanceof Error ? error.message : String(error);
    if (required().has(name)) {
      throw new Error(
        `INTERLINK_REQUIRE names ${name}, but ${title} is not available: ${missing}`,
        { cause: error },
      );
    }
    process.stdout.write(`${title}: not available (${missing}); its suites are skipped\n`);
    return { missing };
  }
}
