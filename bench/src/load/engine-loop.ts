import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { EngineClient } from "@interlink/plugin-docker";

export interface EngineLoopOptions {
  engine: EngineClient;
  /** Image of the sandboxes, with a program `/pause`. */
  sandboxImage: string;
  image: string;
  command: readonly string[];
  /** Fresh, on a file system that the engine sees, too. */
  directory: string;
  signal: AbortSignal;
}

/**
 * What the Docker plugin is compared with: for each pod the calls to the engine that cannot be left out, one after the
 * other, all pods at once, with nothing of ours around them. Resolves with the milliseconds until each container runs.
 */
export async function engineLoop(
  names: readonly string[],
  options: EngineLoopOptions,
): Promise<number[]> {
  const begun = performance.now();
  return Promise.all(
    names.map(async (name) => {
      await onePod(name, options);
      return performance.now() - begun;
    }),
  );
}

/** Removes what {@link engineLoop} has made. */
export async function removeLoop(
  names: readonly string[],
  { engine, signal }: Pick<EngineLoopOptions, "engine" | "signal">,
): Promise<void> {
  await Promise.all(
    names.map(async (name) => {
      // The sandbox last, as others are in its namespaces.
      for (const container of [`${name}-main`, name]) {
        const query = { force: true, v: true };
        const path = `/containers/${container}`;
        await engine.json({ method: "DELETE", path, query, signal, deadlineMs: 60_000 });
      }
    }),
  );
}

async function onePod(name: string, options: EngineLoopOptions): Promise<void> {
  const { engine, sandboxImage, image, command, directory, signal } = options;
  const message = join(directory, name);
  await mkdir(directory, { recursive: true });
  await writeFile(message, "");
  const run = async (as: string, body: object): Promise<void> => {
    const query = { name: as };
    await engine.json({ method: "POST", path: "/containers/create", query, body, signal });
    const path = `/containers/${as}`;
    await engine.json({ method: "POST", path: `${path}/start`, signal });
    await engine.json({ method: "GET", path: `${path}/json`, signal });
  };
  await run(name, {
    Image: sandboxImage,
    Entrypoint: ["/pause"],
    User: "65535:65535",
    HostConfig: {
      IpcMode: "shareable",
      ReadonlyRootfs: true,
      CapDrop: ["ALL"],
      LogConfig: { Type: "none" },
    },
  });
  await engine.json({ method: "GET", path: `/images/${image}/json`, signal });
  const sandbox = `container:${name}`;
  await run(`${name}-main`, {
    Image: image,
    Entrypoint: command,
    HostConfig: {
      NetworkMode: sandbox,
      IpcMode: sandbox,
      LogConfig: { Type: "json-file", Config: { "max-size": "10m", "max-file": "5" } },
      Mounts: [{ Type: "bind", Source: message, Target: "/dev/termination-log" }],
    },
  });
}
