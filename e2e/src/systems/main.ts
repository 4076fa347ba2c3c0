import { acquireDocker, dockerStatus, shutDocker } from "./docker-system.ts";
import { findKubernetes } from "./kubernetes-binaries.ts";
import { buildKubernetes } from "./kubernetes-build.ts";
import { KEEP } from "./users.ts";

const USAGE = `Real systems for tests and for trying things out by hand.

  npm run systems -- up docker          find or start a Docker Engine, registries, images; leave them up
  npm run systems -- status             what of it runs
  npm run systems -- down               stop what was started
  npm run systems -- build kubernetes   build a Kubernetes control plane for the tests, once, in minutes (Debian 12)
`;

/** The command behind `npm run systems`. Gives the exit code. */
export async function systemsCommand(args: readonly string[]): Promise<number> {
  const [command, ...names] = args;
  const say = (line: string): void => {
    process.stdout.write(`${line}\n`);
  };
  try {
    if (command === "up" && names.every((name) => name === "docker")) {
      const docker = await acquireDocker(KEEP);
      say(`# Docker Engine ${docker.version} with busybox:latest`);
      if (docker.registry !== undefined) {
        say(`# registry: ${docker.registry}/library/busybox:latest`);
      }
      say(`export DOCKER_HOST=${docker.host}`);
      return 0;
    }
    if (command === "status" && names.length === 0) {
      say(dockerStatus());
      say(await kubernetesStatus());
      return 0;
    }
    if (command === "build" && names.join() === "kubernetes") {
      await buildKubernetes(say);
      say(await kubernetesStatus());
      return 0;
    }
    if (command === "down" && names.every((name) => name === "docker")) {
      await shutDocker();
      say(dockerStatus());
      return 0;
    }
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
  process.stderr.write(USAGE);
  return 2;
}

async function kubernetesStatus(): Promise<string> {
  try {
    const { version, folder } = await findKubernetes();
    return `kubernetes: tests use ${version} of ${folder}`;
  } catch (error) {
    return `kubernetes: ${error instanceof Error ? error.message : String(error)}`;
  }
}
