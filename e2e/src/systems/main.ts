import { buildApptainer } from "./apptainer-build.ts";
import { findApptainer } from "./apptainer-system.ts";
import { dockerEngine } from "./docker-system.ts";
import { findKubernetes } from "./kubernetes-binaries.ts";
import { buildKubernetes } from "./kubernetes-build.ts";
import { podmanEngine } from "./podman-system.ts";
import type { SharedEngine } from "./shared-engine.ts";
import { buildSlurmReleases } from "./slurm-build.ts";
import { recordSlurm } from "./slurm-recording.ts";
import { findSlurmReleases } from "./slurm-releases.ts";
import { SharedSlurm } from "./slurm-system.ts";
import { KEEP } from "./users.ts";

const USAGE = `Real systems for tests and for trying things out by hand.

  npm run systems -- up [docker|podman] find or start an engine, registries, images; leave them up
  npm run systems -- up slurm           start a Slurm of one node; leave it up
  npm run systems -- status             what of it runs
  npm run systems -- down               stop what was started
  npm run systems -- build kubernetes   build a Kubernetes control plane for the tests, once, in minutes (Debian 12)
  npm run systems -- build apptainer    unpack an Apptainer for the tests, once (Debian 12)
  npm run systems -- build slurm        unpack newer releases of Slurm for the tests, once (Debian 12)
  npm run systems -- record FOLDER      write what this machine's Slurm and those that were built print, for unit tests
`;

const ENGINES: Readonly<Record<string, () => SharedEngine>> = {
  docker: dockerEngine,
  podman: podmanEngine,
};

/** The command behind `npm run systems`. Gives the exit code. */
export async function systemsCommand(args: readonly string[]): Promise<number> {
  const [command, ...names] = args;
  const say = (line: string): void => {
    process.stdout.write(`${line}\n`);
  };
  const known = names.every((name) => name === "slurm" || Object.hasOwn(ENGINES, name));
  try {
    if (command === "up" && names.join() === "slurm") {
      const { version, conf, user } = await new SharedSlurm().acquire(KEEP);
      say(`# slurm ${version}; who submits is ${user.name}, with home ${user.home}`);
      say(`# ${await described("apptainer", apptainerStatus)}`);
      say(`export SLURM_CONF=${conf}`);
      return 0;
    }
    if (command === "up" && names.length <= 1 && known) {
      for (const engine of chosen(names, ["docker"])) {
        const { kind, version, registry, host } = await engine.acquire(KEEP);
        say(`# ${kind} ${version} with busybox:latest`);
        if (registry !== undefined) say(`# registry: ${registry}/library/busybox:latest`);
        say(`export DOCKER_HOST=${host}`);
      }
      return 0;
    }
    if (command === "status" && names.length === 0) {
      for (const engine of chosen([])) say(engine.status());
      say(new SharedSlurm().status());
      say(await described("kubernetes", kubernetesStatus));
      say(await described("apptainer", apptainerStatus));
      say(await described("slurm", slurmReleasesStatus));
      return 0;
    }
    if (command === "build" && names.join() === "kubernetes") {
      await buildKubernetes(say);
      say(await described("kubernetes", kubernetesStatus));
      return 0;
    }
    if (command === "build" && names.join() === "apptainer") {
      await buildApptainer(say);
      say(await described("apptainer", apptainerStatus));
      return 0;
    }
    if (command === "build" && names.join() === "slurm") {
      await buildSlurmReleases(say);
      say(await described("slurm", slurmReleasesStatus));
      return 0;
    }
    if (command === "record" && names.length === 1) {
      const [folder = ""] = names;
      for (const release of [undefined, ...findSlurmReleases()]) {
        await recordSlurm(folder, release, say);
      }
      return 0;
    }
    if (command === "down" && known) {
      for (const engine of chosen(names)) {
        await engine.shut();
        say(engine.status());
      }
      if (names.length === 0 || names.includes("slurm")) {
        await new SharedSlurm().shut();
        say(new SharedSlurm().status());
      }
      return 0;
    }
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
  process.stderr.write(USAGE);
  return 2;
}

function chosen(
  names: readonly string[],
  otherwise: readonly string[] = Object.keys(ENGINES),
): SharedEngine[] {
  return (names.length > 0 ? names : otherwise).flatMap((name) => ENGINES[name]?.() ?? []);
}

async function kubernetesStatus(): Promise<string> {
  const { version, folder } = await findKubernetes();
  return `tests use ${version} of ${folder}`;
}

async function apptainerStatus(): Promise<string> {
  const { version, path } = await findApptainer();
  return `tests use ${version}, ${path}`;
}

async function slurmReleasesStatus(): Promise<string> {
  const versions = findSlurmReleases().map(({ version }) => version);
  return `tests also use the releases ${versions.join(", ")}`;
}

/** One line about a system, or why it is not there. */
async function described(name: string, status: () => Promise<string>): Promise<string> {
  try {
    return `${name}: ${await status()}`;
  } catch (error) {
    return `${name}: ${error instanceof Error ? error.message : String(error)}`;
  }
}
