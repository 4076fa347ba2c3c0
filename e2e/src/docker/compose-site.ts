import { execFile } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { findProgram } from "../systems/programs.ts";

const run = promisify(execFile);
const FILE = fileURLToPath(new URL("../../../docker-compose.yaml", import.meta.url));

/** Why docker-compose.yaml cannot be started here; `undefined` if it can. */
export function whyNoCompose(): string | undefined {
  return findProgram("docker-compose") === undefined
    ? "there is no docker-compose (Debian package docker-compose)"
    : undefined;
}

/** docker-compose.yaml started by the real docker-compose, with everything of it in one directory of its own. */
export class ComposeSite implements AsyncDisposable {
  static readonly token = "a-token-of-at-least-sixteen-characters";
  /** `http://127.0.0.1:port` of the API server. */
  readonly address: string;
  readonly #compose: (...words: string[]) => Promise<string>;
  readonly #folder: string;

  private constructor(address: string, compose: ComposeSite["compose"], folder: string) {
    this.address = address;
    this.#compose = compose;
    this.#folder = folder;
  }

  /** `host`: a unix socket, as `DOCKER_HOST` has it. Resolves when compose says that all is up. */
  static async up(image: string, host: string): Promise<ComposeSite> {
    const folder = mkdtempSync(join(tmpdir(), "interlink-compose-"));
    const site = join(folder, "site");
    mkdirSync(site);
    mkdirSync(join(folder, "root"));
    writeFileSync(join(site, "tokens"), `${ComposeSite.token}\n`);
    chmodSync(join(site, "tokens"), 0o600);
    copyFileSync(FILE, join(folder, "docker-compose.yaml"));
    const env = {
      ...process.env,
      DOCKER_HOST: host,
      INTERLINK_IMAGE: image,
      // Any that is free.
      INTERLINK_PORT: "0",
      INTERLINK_SITE: site,
      INTERLINK_DOCKER_SOCKET: host.replace("unix://", ""),
      INTERLINK_ROOT: join(folder, "root"),
    };
    const project = `interlink-e2e-${process.pid}`;
    const compose = async (...words: string[]): Promise<string> => {
      const options = { cwd: folder, env, timeout: 120_000 };
      return (await run("docker-compose", ["--project-name", project, ...words], options)).stdout;
    };
    try {
      await compose("up", "--detach");
      const port = (await compose("port", "interlink", "3000")).trim().split(":").at(-1) ?? "";
      return new ComposeSite(`http://127.0.0.1:${port}`, compose, folder);
    } catch (error) {
      await compose("down", "--volumes").catch(() => undefined);
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** Runs docker-compose with these words; resolves with what it printed. */
  get compose(): (...words: string[]) => Promise<string> {
    return this.#compose;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#compose("down", "--volumes");
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
