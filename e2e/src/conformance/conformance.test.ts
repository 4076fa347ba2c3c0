import { afterAll, beforeAll, inject, vi } from "vitest";
import { embeddedCluster } from "../harness/embedded-cluster.ts";
import { System, type SystemOptions } from "../harness/system.ts";
import { describeDocker, describeKubernetes } from "../systems/describe-system.ts";
import { controllers } from "./controllers.ts";
import { environment } from "./environment.ts";
import { extensions } from "./extensions.ts";
import { hooks } from "./hooks.ts";
import { images } from "./images.ts";
import { initContainers } from "./init-containers.ts";
import { lifecycle } from "./lifecycle.ts";
import { network } from "./network.ts";
import { node } from "./node.ts";
import type { PluginName } from "./plugins.ts";
import { probeDetails } from "./probe-details.ts";
import { probes } from "./probes.ts";
import { projectedVolumes } from "./projected-volumes.ts";
import { resize } from "./resize.ts";
import { restarts } from "./restarts.ts";
import { security } from "./security.ts";
import { serviceAccounts } from "./service-accounts.ts";
import { Site } from "./site.ts";
import { status } from "./status.ts";
import { streams } from "./streams.ts";
import { subPaths } from "./sub-paths.ts";
import { type ClusterKind, declareBehaviours, type Group } from "./suite.ts";
import { volumes } from "./volumes.ts";

// Most of the time they wait for periods to pass.
vi.setConfig({ maxConcurrency: 16 });

const groups: readonly Group[] = [
  lifecycle,
  restarts,
  status,
  node,
  initContainers,
  probes,
  probeDetails,
  hooks,
  environment,
  subPaths,
  volumes,
  projectedVolumes,
  serviceAccounts,
  streams,
  security,
  images,
  network,
  controllers,
  extensions,
  resize,
];

function conformance(name: PluginName, plugin: SystemOptions["plugin"]): void {
  describeKubernetes(`conformance of ${name}`, (target) => {
    const sites = new Map<ClusterKind, Site>();

    beforeAll(async () => {
      const start = async (kind: ClusterKind, cluster: typeof target): Promise<void> => {
        const system = await System.start({ plugin, target: cluster });
        sites.set(kind, new Site(name, system));
      };
      await Promise.all([start("real", target), start("embedded", embeddedCluster)]);
    });
    afterAll(async () => {
      await Promise.all([...sites.values()].map((site) => site[Symbol.asyncDispose]()));
    });

    declareBehaviours(name, groups, (kind) => {
      const site = sites.get(kind);
      if (site === undefined) throw new Error(`There is no ${kind} cluster`);
      return site;
    });
  });
}

conformance("process", { name: "process" });
const docker = inject("docker");
if ("system" in docker) {
  conformance("docker", { name: "docker", dockerHost: docker.system.host });
} else {
  describeDocker("conformance of docker", () => {});
}
