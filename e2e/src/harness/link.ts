import { once } from "node:events";
import {
  type AddressInfo,
  createConnection,
  createServer,
  type Server,
  type Socket,
} from "node:net";

/**
 * A network path that a test can break: a TCP relay on a free loopback port. Bytes pass unchanged, so TLS does too.
 */
export class Link implements AsyncDisposable {
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #isCut = false;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async to(host: string, port: number): Promise<Link> {
    const server = createServer({ pauseOnConnect: true });
    const link = new Link(server);
    server.on("connection", (near) => link.#relay(near, host, port));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return link;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /**
   * Every connection that is open falls silent for ever: no byte passes, and neither end is told, as when a router on
   * the way has forgotten them. New ones pass.
   */
  freeze(): void {
    for (const pair of this.#pairs) for (const socket of pair) freeze(socket);
  }

  /** As {@link freeze}, and new connections are accepted by nobody until {@link mend}. */
  cut(): void {
    this.#isCut = true;
    this.freeze();
  }

  /** New connections pass again; those that were silent stay so. */
  mend(): void {
    this.#isCut = false;
  }

  #relay(near: Socket, host: string, port: number): void {
    const far = createConnection({ host, port });
    const pair = [near, far] as const;
    this.#pairs.add(pair);
    const end = (): void => {
      this.#pairs.delete(pair);
      near.destroy();
      far.destroy();
    };
    for (const socket of pair) socket.on("error", end).on("close", end);
    near.pipe(far);
    far.pipe(near);
    if (this.#isCut) for (const socket of pair) freeze(socket);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const [near, far] of this.#pairs) {
      near.destroy();
      far.destroy();
    }
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Nothing is read from it any more, and so nothing is written to the other. */
function freeze(socket: Socket): void {
  socket.unpipe();
  socket.pause();
}
