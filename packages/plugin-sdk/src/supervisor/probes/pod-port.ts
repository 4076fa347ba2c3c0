import type { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import type { Container, ContainerPort } from "kubernetes-types/core/v1.js";
import { Agent, type buildConnector } from "undici";
import type { ContainerHandle, ContainerRuntime } from "../../runtime/container-runtime.ts";

/** Where a probe or a hook asks. */
export interface PodPort {
  /** For the request and for messages. */
  host: string;
  port: number;
  /** Where this machine has no way to the pod's network: the runtime's, to the pod's loopback. */
  open?: (signal: AbortSignal) => Promise<Duplex>;
}

/** What a probe or hook says of the port. */
interface Asked {
  host?: string;
  port: number | string;
}

/**
 * The port that a probe or hook of a container means: on the host that it names, else on the pod's address if this machine
 * reaches it, else through the runtime. `undefined` if there is no such port, or no way.
 */
export async function podPort(
  runtime: ContainerRuntime,
  handle: ContainerHandle,
  { ports }: Container,
  asked: Asked,
  signal: AbortSignal,
): Promise<PodPort | undefined> {
  const port = portNumber(asked.port, ports);
  if (port === undefined) return undefined;
  const host = asked.host || (await runtime.probeAddress(handle.uid, signal));
  if (host !== undefined) return { host, port };
  if (runtime.connect === undefined) return undefined;
  const open = (limited: AbortSignal) => connectThrough(runtime, handle.uid, port, limited);
  return { host: "localhost", port, open };
}

async function connectThrough(
  runtime: ContainerRuntime,
  uid: string,
  port: number,
  signal: AbortSignal,
): Promise<Duplex> {
  const connection = await runtime.connect?.(uid, port, signal);
  if (connection === undefined) throw new Error("this runtime reaches no ports of pods");
  return connection;
}

/**
 * For HTTP by such a connection, each request by one of its own; certificates are not checked, as a kubelet does not.
 * To be destroyed after use.
 */
export function dispatcherThrough(open: NonNullable<PodPort["open"]>, signal: AbortSignal): Agent {
  const openAs = async (protocol: string): Promise<Duplex> =>
    protocol === "https:" ? encrypted(await open(signal), signal) : open(signal);
  const dial = async (protocol: string, done: buildConnector.Callback): Promise<void> => {
    const opened = await openAs(protocol).catch((error: Error) => error);
    if (opened instanceof Error) done(opened, null);
    // undici asks for a socket, and uses what every duplex stream has.
    else done(null, opened as never);
  };
  const connect: buildConnector.connector = ({ protocol }, done) => void dial(protocol, done);
  return new Agent({ connect });
}

/** Aborting before it is agreed on closes the connection: whoever listens may never answer. */
function encrypted(connection: Duplex, signal: AbortSignal): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    // When TLS gives up on a connection that is no socket, that one has an error of its own, which must not go unheard.
    connection.on("error", reject);
    const socket = connectTls({ socket: connection, rejectUnauthorized: false });
    const giveUp = (): void => void socket.destroy(new Error("the probe was given up"));
    signal.addEventListener("abort", giveUp, { once: true });
    socket.once("close", () => signal.removeEventListener("abort", giveUp));
    socket.once("secureConnect", () => {
      signal.removeEventListener("abort", giveUp);
      resolve(socket);
    });
    socket.on("error", reject);
    if (signal.aborted) giveUp();
  });
}

/** A port by number or by the name it has in `ports`. */
export function portNumber(
  port: number | string,
  ports: readonly ContainerPort[] | undefined,
): number | undefined {
  const value =
    typeof port === "string" && !/^\d+$/.test(port)
      ? ports?.find(({ name }) => name === port)?.containerPort
      : Number(port);
  return value !== undefined && value > 0 && value < 65_536 ? value : undefined;
}
