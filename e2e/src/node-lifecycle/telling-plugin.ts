import { createServer, type Server } from "node:http";

/** A plugin that runs nothing and tells what its site has: what a test says. */
export class TellingPlugin implements AsyncDisposable {
  readonly #server: Server;
  /** Answered to a ping. */
  answer: object = {};

  private constructor() {
    this.#server = createServer((request, response) => {
      const isStatus = request.url === "/status";
      request.resume().on("end", () => {
        response.writeHead(isStatus ? 200 : 404, { "content-type": "application/json" });
        response.end(isStatus ? JSON.stringify(this.answer) : "{}");
      });
    });
  }

  /** Listens at this socket. */
  static async listen(path: string): Promise<TellingPlugin> {
    const plugin = new TellingPlugin();
    await new Promise<void>((resolve) => plugin.#server.listen(path, resolve));
    return plugin;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
