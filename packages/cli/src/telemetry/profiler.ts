import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Session } from "node:inspector/promises";
import type { AddressInfo } from "node:net";
import type { Logger } from "pino";
import { CliError } from "../cli-error.ts";

export interface ProfilerOptions {
  /** An address of this machine's own; another one is not listened on, because a heap holds every secret. */
  address: string;
  port: number;
  logger: Logger;
}

/** A profiler that listens. */
export interface Profiler extends AsyncDisposable {
  /** `http://127.0.0.1:6060` */
  readonly address: string;
}

const OWN: ReadonlySet<string> = new Set(["127.0.0.1", "::1", "localhost"]);
const MAX_SECONDS = 300;
const INDEX = `/debug/pprof/profile?seconds=30  CPU profile (.cpuprofile: Chrome's developer tools, speedscope)
/debug/pprof/allocs?seconds=30   where memory is taken (.heapprofile)
/debug/pprof/heap                heap snapshot (.heapsnapshot): holds all secrets of the process
`;

/**
 * Node's own profiler at the paths and keys of the existing programs (reference: wire and node, 2.1 to 2.3), whose profiles
 * are Go's: these are for the tools of JavaScript. One profile at a time. Throws `CliError` `busy` if the port is taken.
 */
export async function startProfiler({ address, port, logger }: ProfilerOptions): Promise<Profiler> {
  const host = OWN.has(address) ? address : "127.0.0.1";
  if (host !== address) {
    logger.warn(
      { address },
      "Pprof.Address: the profiler listens on 127.0.0.1 only, because it shows every secret",
    );
  }
  const closing = new AbortController();
  let isBusy = false;
  const server = createServer((request, response) => {
    if (!isFromHere(request)) return answer(response, 403, "only for this machine\n");
    const url = new URL(request.url ?? "/", "http://localhost");
    const take = TAKERS[url.pathname];
    if (take === undefined)
      return answer(response, url.pathname === "/debug/pprof/" ? 200 : 404, INDEX);
    if (isBusy) return answer(response, 503, "a profile is being taken; ask again later\n");
    isBusy = true;
    const seconds = Number(url.searchParams.get("seconds") ?? "30");
    const milliseconds =
      1000 * Math.min(MAX_SECONDS, Number.isFinite(seconds) ? Math.max(0, seconds) : 30);
    taking(take, response, milliseconds, closing.signal)
      .catch((err: unknown) => {
        logger.warn({ err }, "a profile could not be taken");
        response.destroy();
      })
      .finally(() => (isBusy = false));
  });
  server.listen(port, host);
  try {
    await once(server, "listening");
  } catch (cause) {
    const { message } = cause as Error;
    throw new CliError("busy", `Pprof: cannot listen on ${host}:${port}: ${message}.`, { cause });
  }
  const bound = (server.address() as AddressInfo).port;
  const where = `http://${host.includes(":") ? `[${host}]` : host}:${bound}`;
  logger.info({ address: `${where}/debug/pprof/` }, "the profiler listens");
  return {
    address: where,
    async [Symbol.asyncDispose]() {
      closing.abort();
      server.closeAllConnections();
      if (server.listening) await once(server.close(), "close");
    },
  };
}

/** A page of the web that is made to point here says its own name. */
function isFromHere({ headers }: IncomingMessage): boolean {
  const host = (headers.host ?? "").replace(/:\d+$/, "").replace(/^\[|\]$/g, "");
  return OWN.has(host) && headers.origin === undefined;
}

interface Taking {
  session: Session;
  response: ServerResponse;
  /** Until the time is over, or nobody waits for the profile any more. */
  pause: () => Promise<void>;
}

const TAKERS: Readonly<Record<string, (taking: Taking) => Promise<void>>> = {
  async "/debug/pprof/profile"({ session, response, pause }) {
    await session.post("Profiler.enable");
    await session.post("Profiler.start");
    await pause();
    const { profile } = await session.post("Profiler.stop");
    send(response, "cpuprofile").end(JSON.stringify(profile));
  },
  async "/debug/pprof/allocs"({ session, response, pause }) {
    await session.post("HeapProfiler.startSampling");
    await pause();
    const { profile } = await session.post("HeapProfiler.stopSampling");
    send(response, "heapprofile").end(JSON.stringify(profile));
  },
  async "/debug/pprof/heap"({ session, response }) {
    send(response, "heapsnapshot");
    session.on("HeapProfiler.addHeapSnapshotChunk", ({ params }) => response.write(params.chunk));
    await session.post("HeapProfiler.takeHeapSnapshot");
    response.end();
  },
};

async function taking(
  take: (taking: Taking) => Promise<void>,
  response: ServerResponse,
  milliseconds: number,
  closing: AbortSignal,
): Promise<void> {
  const session = new Session();
  session.connect();
  const pause = () =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(end, milliseconds);
      function end(): void {
        clearTimeout(timer);
        response.off("close", end);
        closing.removeEventListener("abort", end);
        resolve();
      }
      response.on("close", end);
      closing.addEventListener("abort", end);
    });
  try {
    await take({ session, response, pause });
  } finally {
    session.disconnect();
  }
}

function send(response: ServerResponse, kind: string): ServerResponse {
  return response.writeHead(200, {
    "content-type": "application/json",
    "content-disposition": `attachment; filename="interlink.${kind}"`,
    "x-content-type-options": "nosniff",
  });
}

function answer(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8" }).end(text);
}
