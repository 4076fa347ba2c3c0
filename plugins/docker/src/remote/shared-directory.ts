import { randomUUID } from "node:crypto";
import { mkdir, rmdir } from "node:fs/promises";
import { join } from "node:path";
import type { EngineClient } from "../engine/engine-client.ts";
import { isEngineError } from "../engine/engine-error.ts";
import { LABELS } from "../pods/labels.ts";
import { removeContainer } from "../runtime/removal.ts";

const AT = "/shared";

/**
 * Whether the engine sees this directory under the same path: it is to mount a directory of a name that nothing else has.
 * Nothing is started for it.
 */
export async function seesDirectory(
  engine: EngineClient,
  directory: string,
  { plugin, image }: { plugin: string; image: string },
  signal: AbortSignal,
): Promise<boolean> {
  const probe = join(directory, `.seen-${randomUUID()}`);
  const Mounts = [{ Type: "bind", Source: probe, Target: AT, ReadOnly: true }];
  await mkdir(probe);
  let id: string | undefined;
  try {
    const { Id } = await engine.json<{ Id: string }>({
      method: "POST",
      path: "/containers/create",
      body: {
        Image: image,
        Entrypoint: ["/pause"],
        Labels: { [LABELS.plugin]: plugin },
        HostConfig: { NetworkMode: "none", Mounts },
      },
      signal,
    });
    id = Id;
    // Podman looks only now.
    const path = `/containers/${id}/archive`;
    (await engine.stream({ method: "GET", path, query: { path: AT }, signal })).destroy();
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  } finally {
    if (id !== undefined) await removeContainer(engine, id, true, signal);
    await rmdir(probe);
  }
}

function isMissing(error: unknown): boolean {
  if (isEngineError(error, "not-found")) return !/image/i.test(error.message);
  return (
    isEngineError(error, "bad-request", "engine") &&
    /does not exist|no such file|statfs/i.test(error.message)
  );
}
