import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import type { Logger } from "pino";
import { ApiError, noSuchResource } from "../api/api-error.ts";
import type { Authenticator } from "../auth/authenticate.ts";
import type { Authorizer } from "../auth/authorize.ts";
import type { Identity } from "../auth/identity.ts";
import { Exchange, sendText } from "./exchange.ts";
import { parseRequest, type ResourceRequest } from "./request-info.ts";
import { handleUpgrades, type Upgrade } from "./upgrades.ts";

/** Answers a path that is no resource; false when it is not its own. */
export type PathHandler = (exchange: Exchange) => Promise<boolean>;

export interface ApiServerParts {
  tls: { key: string; cert: string; ca: string };
  authenticator: Authenticator;
  authorizer: Authorizer;
  /** Replaces the identity when the request impersonates somebody. */
  readonly impersonate: (identity: Identity, request: IncomingMessage) => Identity;
  readonly resources: (exchange: Exchange, info: ResourceRequest) => Promise<void>;
  paths: readonly PathHandler[];
  logger: Logger;
}

/** As much as Go's servers take: a command to execute stands in the query, script and all. */
const maxHeaderBytes = 1024 * 1024;

/** HTTPS, from the first byte to the handler; every error leaves as a `metav1.Status`. */
export class ApiServer {
  readonly #parts: ApiServerParts;
  readonly #server: Server;
  readonly #sockets = new Set<Duplex>();

  constructor(parts: ApiServerParts) {
    this.#parts = parts;
    const { key, cert, ca } = parts.tls;
    this.#server = createServer(
      {
        key,
        cert,
        ca,
        requestCert: true,
        rejectUnauthorized: false,
        minVersion: "TLSv1.2",
        maxHeaderSize: maxHeaderBytes,
      },
      (request, response) => {
        void this.#serve(request, response);
      },
    );
    handleUpgrades(this.#server, (request, response, upgrade) => {
      void this.#serve(request, response, upgrade);
    });
    // Watches are long; a slow header is not.
    this.#server.requestTimeout = 0;
    this.#server.keepAliveTimeout = 120_000;
    this.#server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
    this.#server.on("tlsClientError", (error) => parts.logger.debug({ err: error }, "TLS refused"));
    this.#server.on("clientError", (_error, socket) => socket.destroy());
  }

  async listen(host: string, port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, host, () => {
        this.#server.off("error", reject);
        resolve();
      });
    });
    return (this.#server.address() as AddressInfo).port;
  }

  /** Stops listening and cuts every connection. Can be followed by listen() again. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #serve(
    request: IncomingMessage,
    response: ServerResponse,
    upgrade?: Upgrade,
  ): Promise<void> {
    try {
      await this.#route(request, response, upgrade);
    } catch (error) {
      this.#refuse(request, response, error);
    }
  }

  async #route(
    request: IncomingMessage,
    response: ServerResponse,
    upgrade: Upgrade | undefined,
  ): Promise<void> {
    const url = parseUrl(request.url);
    const { authenticator, authorizer, impersonate, paths, resources } = this.#parts;
    const caller = await authenticator.authenticate(request);
    const identity = impersonate(caller, request);
    const info = parseRequest(request.method ?? "GET", url);
    const exchange = new Exchange(request, response, url, identity, upgrade);
    authorizer.require(identity, info);
    if (info.isResource) {
      await resources(exchange, info);
      return;
    }
    for (const handler of paths) if (await handler(exchange)) return;
    throw noSuchResource();
  }

  #refuse(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    const refusal = ApiError.from(error);
    const { logger } = this.#parts;
    const context = {
      method: request.method,
      path: request.url?.split("?")[0],
      code: refusal.code,
    };
    if (refusal.code >= 500 && refusal.reason === "InternalError") {
      logger.error({ ...context, err: error }, "request failed");
    } else {
      logger.debug({ ...context, message: refusal.message }, "request refused");
    }
    // What is left of an oversized body is not worth reading.
    if (!request.complete) response.setHeader("connection", "close");
    if (refusal.details?.retryAfterSeconds !== undefined && !response.headersSent) {
      response.setHeader("retry-after", refusal.details.retryAfterSeconds);
    }
    sendText(response, refusal.code, JSON.stringify(refusal.toStatus()), "application/json");
  }
}

function parseUrl(target: string | undefined): URL {
  try {
    // Appended, not resolved: a path that begins with // is a path.
    return new URL(`https://cluster${target ?? "/"}`);
  } catch (error) {
    throw new ApiError(400, "BadRequest", "the path of the request cannot be read", {}, error);
  }
}
