import type { ApptainerSystem } from "./apptainer-system.ts";
import type { EngineSystem } from "./engine-system.ts";
import type { KubernetesSystem } from "./kubernetes-binaries.ts";
import type { SlurmRelease } from "./slurm-releases.ts";
import type { SlurmSystem } from "./slurm-system.ts";

/** What the global set-up found or started, or why it could not. Plain data: it crosses into the test workers. */
export type Provided<T> = { system: T } | { missing: string };

declare module "vitest" {
  interface ProvidedContext {
    docker: Provided<EngineSystem>;
    podman: Provided<EngineSystem>;
    kubectl: Provided<{ path: string }>;
    kubernetes: Provided<KubernetesSystem>;
    slurm: Provided<SlurmSystem>;
    slurmReleases: Provided<SlurmRelease[]>;
    apptainer: Provided<ApptainerSystem>;
    faketime: Provided<{ library: string }>;
    /** Where a test file asks for its turn. */
    turns: string;
  }
}
