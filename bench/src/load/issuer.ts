import { generateKeyPairSync, sign } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

const AUDIENCE = "bench";
const KEY_ID = "only";

/** An issuer of tokens on this machine, with one key. */
export class Issuer implements AsyncDisposable {
  readonly audience = AUDIENCE;
  readonly #keys = generateKeyPairSync("rsa", { modulusLength: 2048 });
  readonly #server: Server;

  private constructor() {
    const key = this.#keys.publicKey.export({ format: "jwk" });
    const keys = { keys: [{ ...key, kid: KEY_ID, use: "sig", alg: "RS256" }] };
    this.#server = createServer((_request, response) => {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(keys));
    });
  }

  static async start(): Promise<Issuer> {
    const issuer = new Issuer();
    await new Promise<void>((resolve, reject) => {
      issuer.#server.once("error", reject);
      issuer.#server.listen(0, "127.0.0.1", resolve);
    });
    return issuer;
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  /** A token for an hour: RS256, as most issuers sign (RFC 7519). */
  token(): string {
    const now = Math.floor(Date.now() / 1000);
    const part = (value: object): string =>
      Buffer.from(JSON.stringify(value)).toString("base64url");
    const claims = { iss: this.url, aud: AUDIENCE, sub: "bench", iat: now, exp: now + 3600 };
    const text = `${part({ alg: "RS256", typ: "JWT", kid: KEY_ID })}.${part(claims)}`;
    const signature = sign("sha256", Buffer.from(text), this.#keys.privateKey);
    return `${text}.${signature.toString("base64url")}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
