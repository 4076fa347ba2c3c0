import {
  EngineClient,
  engineAddresses,
  isEngineError,
  parseDockerHost,
  showAddress,
} from "@interlink/plugin-docker";
import { cacheFolder } from "./cache-folder.ts";
import { pruneContainers, sharedDaemon, whyNoDaemon } from "./docker-daemon.ts";
import {
  BUSYBOX,
  hasImage,
  makeBusyboxImage,
  pullImage,
  pushImage,
  staticBusybox,
  tagImage,
} from "./images.ts";
import { startRegistry, stopRegistry, whyNoRegistry } from "./registry.ts";
import { Users } from "./users.ts";

/** A real container engine with a `busybox:latest`, and registries that it can pull from. */
export interface DockerSystem {
  /** As `DOCKER_HOST` has it. */
  host: string;
  version: string;
  /** `127.0.0.1:port` of a registry that holds `library/busybox:latest`; absent without docker-registry. */
  registry?: string;
  /** The same behind a password ({@link REGISTRY_LOGIN}). */
  lockedRegistry?: string;
}

/** The system cannot be had on this machine; the message says why. */
class SystemUnavailableError extends Error {
  override readonly name = "SystemUnavailableError";
}

const forever = new AbortController().signal;

function users(): Users {
  return new Users(cacheFolder("docker-users"));
}

/** Finds or starts everything, and notes that `user` needs it until {@link releaseDocker}. */
export async function acquireDocker(user: string): Promise<DockerSystem> {
  return users().exclusively(async () => {
    users().add(user);
    try {
      return await bringUp();
    } catch (error) {
      users().remove(user);
      throw error;
    }
  });
}

/** The last user stops what we started; an engine that was there before us stays as it is. */
export async function releaseDocker(user: string): Promise<void> {
  await users().exclusively(async () => {
    users().remove(user);
    if (users().list().length === 0) await stopAll();
  });
}

/** Stops what we started, whoever uses it. */
export async function shutDocker(): Promise<void> {
  await users().exclusively(async () => {
    users().clear();
    await stopAll();
  });
}

/** What runs now, for people. */
export function dockerStatus(): string {
  const who = users().list();
  const daemon = sharedDaemon();
  return daemon.runs
    ? `docker: our own engine runs at ${daemon.host} (used by: ${who.join(", ") || "nobody"})`
    : "docker: our own engine does not run";
}

async function stopAll(): Promise<void> {
  await Promise.all([stopRegistry("open"), stopRegistry("locked"), sharedDaemon().stop()]);
}

async function bringUp(): Promise<DockerSystem> {
  await using engine = await findOrStartEngine();
  const { Version = "unknown" } = await engine.version();
  await provideBusybox(engine);
  await runOnce(engine);
  const system = { host: showAddress(engine.address), version: Version };
  if (whyNoRegistry() !== undefined) return system;
  const registry = await startRegistry("open");
  const image = `${registry}/library/${BUSYBOX}`;
  await tagImage(engine, BUSYBOX, image);
  await pushImage(engine, image);
  return { ...system, registry, lockedRegistry: await startRegistry("locked") };
}

async function findOrStartEngine(): Promise<EngineClient> {
  const given = process.env.INTERLINK_TEST_DOCKER_HOST;
  const daemon = sharedDaemon();
  const candidates =
    given === undefined || given === ""
      ? [...engineAddresses(process.env), parseDockerHost(daemon.host)]
      : [parseDockerHost(given, process.env)];
  for (const address of candidates) {
    const engine = new EngineClient(address);
    try {
      await engine.version();
      return engine;
    } catch (error) {
      await engine[Symbol.asyncDispose]();
      if (!isEngineError(error)) throw error;
      if (given) throw new SystemUnavailableError(error.message, { cause: error });
    }
  }
  const why = whyNoDaemon();
  if (why !== undefined) throw new SystemUnavailableError(why);
  await daemon.start();
  await pruneContainers(daemon.host);
  return new EngineClient(parseDockerHost(daemon.host));
}

async function provideBusybox(engine: EngineClient): Promise<void> {
  if (await hasImage(engine, BUSYBOX)) return;
  if (staticBusybox() === undefined) await pullImage(engine, BUSYBOX);
  else await makeBusyboxImage(engine, BUSYBOX);
}

/** An engine that answers may still be unable to run anything (cgroups, kernel); say so once, here. */
async function runOnce(engine: EngineClient): Promise<void> {
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
  } catch (error) {
    throw new SystemUnavailableError(
      `the engine at ${showAddress(engine.address)} cannot run a container: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  } finally {
    await engine.json({
      method: "DELETE",
      path: `/containers/${Id}`,
      query: { force: true },
      signal: forever,
    });
  }
}
