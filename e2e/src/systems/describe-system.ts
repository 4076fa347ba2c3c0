import { describe, inject, it } from "vitest";
import { embeddedCluster } from "../harness/embedded-cluster.ts";
import type { ClusterTarget } from "../harness/test-cluster.ts";
import type { DockerSystem } from "./docker-system.ts";
import { KubernetesCluster } from "./kubernetes-cluster.ts";
import type { Provided } from "./provided.ts";

/** A suite that needs a real engine. Without one it is skipped, and its title says why. */
export function describeDocker(title: string, suite: (docker: DockerSystem) => void): void {
  describeWith("Docker", inject("docker"), title, suite);
}

/** A suite that needs a real engine and real registries to pull from. */
export function describeRegistry(
  title: string,
  suite: (
    docker: DockerSystem & Required<Pick<DockerSystem, "registry" | "lockedRegistry">>,
  ) => void,
): void {
  const docker = inject("docker");
  if ("missing" in docker) return describeWith("Docker", docker, title, suite as never);
  const { registry, lockedRegistry } = docker.system;
  describeWith(
    "Registry",
    registry === undefined || lockedRegistry === undefined
      ? { missing: "no docker-registry" }
      : { system: { ...docker.system, registry, lockedRegistry } },
    title,
    suite,
  );
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
  const kubernetes = inject("kubernetes");
  if ("missing" in kubernetes) {
    return describeWith("Kubernetes", kubernetes, `${title} (real Kubernetes)`, suite as never);
  }
  const { system } = kubernetes;
  const real: ClusterTarget = {
    title: `real Kubernetes ${system.version}`,
    kind: "real",
    start: (directory) => KubernetesCluster.start(system, directory),
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
