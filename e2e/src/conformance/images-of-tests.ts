import { EngineClient, parseDockerHost } from "@interlink/plugin-docker";
import { inject } from "vitest";
import type { EngineSystem } from "../systems/engine-system.ts";
import { BUSYBOX, makeBusyboxImage, untagImage } from "../systems/images.ts";
import type { Site } from "./site.ts";

/** The engine of sites with the Docker plugin. */
export function dockerOfTests(): EngineSystem {
  const docker = inject("docker");
  if ("missing" in docker) throw new Error(docker.missing);
  return docker.system;
}

export async function withEngine<T>(use: (engine: EngineClient) => Promise<T>): Promise<T> {
  await using engine = new EngineClient(parseDockerHost(dockerOfTests().host));
  return await use(engine);
}

/** Uses an image made by these lines of a Dockerfile; without images, any name will do. */
export async function withImage(
  site: Site,
  name: string,
  changes: readonly string[],
  use: (image: string) => Promise<void>,
): Promise<void> {
  if (site.plugin !== "docker") return use(BUSYBOX);
  const image = `conformance-${name}:latest`;
  await withEngine((engine) => makeBusyboxImage(engine, image, changes));
  try {
    await use(image);
  } finally {
    await withEngine((engine) => untagImage(engine, image));
  }
}
