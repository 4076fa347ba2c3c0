import { afterAll, beforeAll, inject, vi } from "vitest";
import { embeddedCluster } from "../harness/embedded-cluster.ts";
import { System, type SystemOptions } from "../harness/system.ts";
import {
  describeDocker,
  describeKubernetes,
  describeSlurmSite,
} from "../systems/describe-system.ts";
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
import { slurmOfTests } from "./slurm-of-tests.ts";
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

/** The plugin of one system. */
interface Started {
  plugin: SystemOptions["plugin"];
  /** Where it is not a part of the system. */
  restart?: () => Promise<void>;
  /** Told when its system is gone. */
  stop?: () => Promise<void>;
}

function conformance(name: PluginName, start: () => Promise<Started>): void {
  describeKubernetes(`conformance of ${name}`, (target) => {
    const sites = new Map<ClusterKind, Site>();
    const stops: (() => Promise<void>)[] = [];

    beforeAll(async () => {
      const startOn = async (kind: ClusterKind, cluster: typeof target): Promise<void> => {
        const { plugin, restart, stop } = await start();
        if (stop !== undefined) stops.push(stop);
        const system = await System.start({ plugin, target: cluster });
        sites.set(kind, await Site.of(name, system, restart));
      };
      await Promise.all([startOn("real", target), startOn("embedded", embeddedCluster)]);
    });
    afterAll(async () => {
      await Promise.all([...sites.values()].map((site) => site[Symbol.asyncDispose]()));
      await Promise.all(stops.map((stop) => stop()));
    });

    declareBehaviours(name, groups, (kind) => {
      const site = sites.get(kind);
      if (site === undefined) throw new Error(`There is no ${kind} cluster`);
      return site;
    });
  });
}

conformance("process", async () => ({ plugin: { name: "process" } }));
const docker = inject("docker");
if ("system" in docker) {
  const { host } = docker.system;
  conformance("docker", async () => ({ plugin: { name: "docker", dockerHost: host } }));
} else {
  describeDocker("conformance of docker", () => {});
}
describeSlurmSite("conformance of slurm", (site) => {
  conformance("slurm", () => slurmOfTests(site));
});
