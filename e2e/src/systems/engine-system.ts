import { EngineClient, parseDockerHost, showAddress } from "@interlink/plugin-docker";
import { BUSYBOX, hasImage, makeBusyboxImage, pullImage, staticBusybox } from "./images.ts";

export type EngineKind = "docker" | "podman";

/** A real container engine with a `busybox:latest`, and registries that it can pull from. Plain data. */
export interface EngineSystem {
  kind: EngineKind;
  /** As `DOCKER_HOST` has it. */
  host: string;
  version: string;
  /** `127.0.0.1:port` of a registry that holds `library/busybox:latest`; absent without docker-registry. */
  registry?: string;
  /** The same behind a password ({@link REGISTRY_LOGIN}). */
  lockedRegistry?: string;
}

/** The system cannot be had on this machine; the message says why. */
export class SystemUnavailableError extends Error {
  override readonly name = "SystemUnavailableError";
}

const forever = new AbortController().signal;

/** Makes an engine that answers ready for tests, and sees that it really runs containers. */
export async function prepareEngine(kind: EngineKind, engine: EngineClient): Promise<EngineSystem> {
  const { Version = "unknown" } = await engine.version();
  await provideBusybox(engine);
  await runOnce(engine);
  return { kind, host: showAddress(engine.address), version: Version };
}

/** Removes containers of an engine that is ours alone: those that have ended, or all. */
export async function removeContainers(
  host: string,
  which: "ended" | "all" = "all",
): Promise<void> {
  await using engine = new EngineClient(parseDockerHost(host));
  const all = await engine.json<{ Id: string; State: string }[]>({
    method: "GET",
    path: "/containers/json",
    query: { all: true },
    signal: forever,
  });
  let left = all.filter(({ State }) => which === "all" || State !== "running");
  while (left.length > 0) {
    const refused: { one: (typeof left)[number]; error: unknown }[] = [];
    for (const one of left) {
      await engine
        .json({
          method: "DELETE",
          path: `/containers/${one.Id}`,
          query: { force: true, v: true },
          signal: forever,
        })
        .catch((error: unknown) => refused.push({ one, error }));
    }
    // Podman removes none that others depend on: in the next round those are gone.
    if (refused.length === left.length) throw refused[0]?.error;
    left = refused.map(({ one }) => one);
  }
}

async function provideBusybox(engine: EngineClient): Promise<void> {
  if (await hasImage(engine, BUSYBOX)) return;
  if (staticBusybox() === undefined) await pullImage(engine, BUSYBOX);
  else await makeBusyboxImage(engine, BUSYBOX);
}

/** An engine that answers may still be unable to run anything (cgroups, kernel); say so once, here. */
async function runOnce(engine: EngineClient): Promise<void> {
  const where = showAddress(engine.address);
  try {
    const { Id } = await engine.json<{ Id: string }>({
      method: "POST",
      path: "/containers/create",
      body: { Image: BUSYBOX, Cmd: ["true"] },
      signal: forever,
    });
    try {
      await engine.json({ method: "POST", path: `/containers/${Id}/start`, signal: forever });
      const { StatusCode } = await engine.json<{ StatusCode: number }>({
        method: "POST",
        path: `/containers/${Id}/wait`,
        signal: forever,
        deadlineMs: 30_000,
      });
      if (StatusCode !== 0) throw new Error(`"true" in ${BUSYBOX} ended with ${StatusCode}`);
    } finally {
      await engine.json({
        method: "DELETE",
        path: `/containers/${Id}`,
        query: { force: true },
        signal: forever,
      });
    }
  } catch (error) {
    throw new SystemUnavailableError(
      `the engine at ${where} cannot run a container: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
}
