import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { request } from "undici";
import { freePorts } from "../systems/free-ports.ts";
import { OwnedProcess } from "../systems/owned-process.ts";
import { registryConfig } from "../systems/registry.ts";
import { waitUntil } from "../systems/wait-until.ts";
import { digestOf, makeImage } from "./made-image.ts";

/** A real registry for one suite, over plain HTTP. */
export class OwnRegistry implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "own-registry-"));
  readonly #processes: OwnedProcess[] = [];
  #address = "";

  /** `127.0.0.1:port`. */
  get address(): string {
    return this.#address;
  }

  async start(): Promise<void> {
    const [port = 0] = await freePorts(1);
    const started = this.#serve(port);
    this.#address = `127.0.0.1:${port}`;
    await waitUntil("the registry answers", async () => {
      if (started.isOver) throw new Error(`it has ended:\n${started.log}`);
      const { statusCode, body } = await request(`http://${this.#address}/v2/`);
      await body.dump();
      return statusCode === 200;
    });
  }

  /** Serves the same images at `host` and the same port in another network; `within`: words that lead there. */
  serveAlso(host: string, within: readonly string[]): string {
    const [, port = ""] = this.#address.split(":");
    this.#serve(Number(port), host, within);
    return `${host}:${port}`;
  }

  #serve(port: number, host = "127.0.0.1", within: readonly string[] = []): OwnedProcess {
    const config = join(this.#folder, `${host}.yml`);
    writeFileSync(config, registryConfig("open", join(this.#folder, "data"), port, host));
    const command = [...within, "docker-registry", "serve", config];
    const started = new OwnedProcess("docker-registry", command, join(this.#folder, "log"));
    this.#processes.push(started);
    return started;
  }

  /** Puts an image there, of the files of directory `from` and these settings (`WorkingDir`, `Env` …). */
  async push(
    name: string,
    tag: string,
    from: string,
    config: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    const { layer, settings } = await makeImage(from, config);
    const type = "application/vnd.oci.image";
    const manifest = {
      schemaVersion: 2,
      mediaType: `${type}.manifest.v1+json`,
      config: await this.#blob(name, settings, `${type}.config.v1+json`),
      layers: [await this.#blob(name, layer, `${type}.layer.v1.tar`)],
    };
    await this.#put(`/v2/${name}/manifests/${tag}`, JSON.stringify(manifest), manifest.mediaType);
  }

  async #blob(name: string, content: Buffer, mediaType: string) {
    const { headers, statusCode, body } = await request(
      `http://${this.#address}/v2/${name}/blobs/uploads/`,
      { method: "POST" },
    );
    await body.dump();
    if (statusCode !== 202) throw new Error(`The registry takes no upload: ${statusCode}`);
    const place = new URL(String(headers["location"]), `http://${this.#address}`);
    const digest = digestOf(content);
    place.searchParams.set("digest", digest);
    await this.#put(`${place.pathname}${place.search}`, content, "application/octet-stream");
    return { mediaType, digest, size: content.length };
  }

  async #put(path: string, content: Buffer | string, type: string): Promise<void> {
    const { statusCode, body } = await request(`http://${this.#address}${path}`, {
      method: "PUT",
      headers: { "content-type": type },
      body: content,
    });
    const words = await body.text();
    if (statusCode !== 201) throw new Error(`The registry answers ${statusCode}: ${words}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#processes.map((started) => started.kill9()));
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
