import { describe, inject, it } from "vitest";
import { embeddedCluster } from "../harness/embedded-cluster.ts";
import type { ClusterTarget } from "../harness/test-cluster.ts";
import type { ApptainerSystem } from "./apptainer-system.ts";
import type { EngineSystem } from "./engine-system.ts";
import { KubernetesCluster } from "./kubernetes-cluster.ts";
import type { Provided } from "./provided.ts";
import { whyNoRegistry } from "./registry.ts";
import { whyNoAccounting } from "./slurm-accounting.ts";
import type { SlurmRelease } from "./slurm-releases.ts";
import type { SlurmSystem } from "./slurm-system.ts";

/** A suite that needs a real Docker Engine. Without one it is skipped, and its title says why. */
export function describeDocker(title: string, suite: (docker: EngineSystem) => void): void {
  describeWith("Docker", inject("docker"), title, suite);
}

/** A suite that needs a real Podman. */
export function describePodman(title: string, suite: (podman: EngineSystem) => void): void {
  describeWith("Podman", inject("podman"), title, suite);
}

/** The same suite on each kind of real engine; those that are not there are skipped. */
export function describeEngines(title: string, suite: (engine: EngineSystem) => void): void {
  describeDocker(`${title} (Docker)`, suite);
  describePodman(`${title} (Podman)`, suite);
}

/** The same suite on each kind of real engine, with real registries that it pulls from. */
export function describeRegistries(title: string, suite: (engine: RegistryEngine) => void): void {
  for (const [name, provided] of [
    ["Docker", inject("docker")],
    ["Podman", inject("podman")],
  ] as const) {
    describeWith(name, withRegistries(provided), `${title} (${name})`, suite);
  }
}

export type RegistryEngine = EngineSystem &
  Required<Pick<EngineSystem, "registry" | "lockedRegistry">>;

function withRegistries(provided: Provided<EngineSystem>): Provided<RegistryEngine> {
  if ("missing" in provided) return provided;
  const { registry, lockedRegistry } = provided.system;
  return registry === undefined || lockedRegistry === undefined
    ? { missing: "no registry that it can pull from" }
    : { system: { ...provided.system, registry, lockedRegistry } };
}

/** A suite that needs a real Slurm. */
export function describeSlurm(title: string, suite: (slurm: SlurmSystem) => void): void {
  describeWith("Slurm", inject("slurm"), title, suite);
}

/** A suite that runs jobs with a real Apptainer in a real Slurm. */
export function describeSlurmSite(title: string, suite: (site: SlurmSite) => void): void {
  const [slurm, apptainer] = [inject("slurm"), inject("apptainer")];
  if ("missing" in slurm) return describeWith("Slurm", slurm, title, suite as never);
  if ("missing" in apptainer) return describeWith("Apptainer", apptainer, title, suite as never);
  const site = { slurm: slurm.system, apptainer: apptainer.system };
  describeWith("Slurm", { system: site }, title, suite);
}

/** A suite that starts Slurms of its own that keep jobs in a database. */
export function describeSlurmWithAccounting(title: string, suite: (site: SlurmSite) => void): void {
  describeSlurmWith("slurmdbd", whyNoAccounting(), title, suite);
}

/** A suite that starts a registry of its own, from which jobs pull. */
export function describeSlurmWithRegistry(title: string, suite: (site: SlurmSite) => void): void {
  describeSlurmWith("a registry", whyNoRegistry(), title, suite);
}

function describeSlurmWith(
  what: string,
  missing: string | undefined,
  title: string,
  suite: (site: SlurmSite) => void,
): void {
  if (missing === undefined) return describeSlurmSite(title, suite);
  describeWith(what, { missing }, title, suite as never);
}

/** A suite for each newer release of Slurm that was built here. */
export function describeSlurmReleases(
  title: string,
  suite: (release: SlurmRelease, site: SlurmSite) => void,
): void {
  const provided = inject("slurmReleases");
  if ("missing" in provided) return describeWith("Slurm", provided, title, suite as never);
  for (const release of provided.system) {
    describeSlurmSite(`${title} (Slurm ${release.version})`, (site) => suite(release, site));
  }
}

export interface SlurmSite {
  slurm: SlurmSystem;
  apptainer: ApptainerSystem;
}

/** A suite that drives the real kubectl. */
export function describeKubectl(title: string, suite: (kubectl: { path: string }) => void): void {
  describeWith("kubectl", inject("kubectl"), title, suite);
}

/**
 * A suite that drives the real kubectl, once against the embedded cluster and once against a real Kubernetes. Without
 * either program the part that needs it is skipped.
 */
export function describeClusters(title: string, suite: (target: ClusterTarget) => void): void {
  describeKubectl(`${title} (${embeddedCluster.title})`, () => suite(embeddedCluster));
  describeKubernetes(title, suite);
}

/** A suite about what only a real Kubernetes does. Without one it is skipped. */
export function describeKubernetes(title: string, suite: (target: ClusterTarget) => void): void {
  const kubernetes = inject("kubernetes");
  if ("missing" in kubernetes) {
    return describeWith("Kubernetes", kubernetes, `${title} (real Kubernetes)`, suite as never);
  }
  const { system } = kubernetes;
  const real: ClusterTarget = {
    title: `real Kubernetes ${system.version}`,
    kind: "real",
    start: (directory, options) => KubernetesCluster.start(system, directory, options),
  };
  describeKubectl(`${title} (${real.title})`, () => suite(real));
}

function describeWith<T>(
  name: string,
  provided: Provided<T>,
  title: string,
  suite: (system: T) => void,
): void {
  if ("system" in provided) {
    describe(title, () => suite(provided.system));
    return;
  }
  describe.skip(`${title} [skipped: ${name}: ${provided.missing}]`, () => {
    it(`needs ${name}`);
  });
}
