import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Limit } from "@interlink/plugin-sdk";

/** An engine behind SSH. */
export interface SshTarget {
  host: string;
  user?: string;
  port?: number;
  /** Socket of the engine over there; default: as the docker command there finds it. */
  path?: string;
}

/** Of what ssh says last, for the error. */
const MAX_WORDS = 2000;

/** sshd turns away some of more than ten that have not logged in yet (its `MaxStartups`). */
const ENTERING_AT_ONCE = 8;
/** One of which nothing has come after so long has logged in all the same, milliseconds. */
const ENTERED_MS = 10_000;

/**
 * A socket on this machine behind which the engine of another one answers: each connection is carried by
 * `ssh HOST docker system dial-stdio`, as the docker command does it. Keys, known hosts and jumps are those of the
 * user's own ssh configuration; it is never asked for a password.
 */
export class SshTunnel implements AsyncDisposable {
  readonly #target: SshTarget;
  readonly #program: string;
  readonly #children = new Set<ChildProcess>();
  readonly #sockets = new Set<Socket>();
  readonly #entering = new Limit(ENTERING_AT_ONCE);
  readonly #closing = new AbortController();
  #server: Server | undefined;
  #opening: Promise<string> | undefined;
  #words = "";

  /** `program` is ssh. */
  constructor(target: SshTarget, program = "ssh") {
    this.#target = target;
    this.#program = program;
  }

  /** What ssh said when it last failed; `""` if it did not. */
  get lastWords(): string {
    return this.#words;
  }

  /** Path of the socket. */
  async socket(): Promise<string> {
    this.#opening ??= this.#open();
    return this.#opening;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new Error("The tunnel is closed."));
    const opened = await this.#opening?.catch(() => undefined);
    for (const socket of this.#sockets) socket.destroy();
    const ended = [...this.#children].map(
      (child) =>
        new Promise<void>((resolve) => {
          child.once("close", () => resolve());
          child.kill("SIGKILL");
        }),
    );
    await Promise.all(ended);
    await new Promise<void>((resolve) => {
      if (this.#server === undefined) resolve();
      else this.#server.close(() => resolve());
    });
    if (opened !== undefined) await rm(join(opened, ".."), { recursive: true, force: true });
  }

  async #open(): Promise<string> {
    // Only this user may enter, and so use the engine.
    const path = join(await mkdtemp(join(tmpdir(), "interlink-ssh-")), "engine.sock");
    const server = createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket));
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(path, resolve);
    });
    return path;
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    // Waits for its turn to log in; there is nobody to tell when the tunnel is closed before.
    this.#entering
      .run(this.#closing.signal, () => this.#carry(socket))
      .catch(() => socket.destroy());
  }

  /** Resolves when it has logged in, or never will. */
  async #carry(socket: Socket): Promise<void> {
    if (socket.destroyed) return;
    let entered = (): void => undefined;
    const login = new Promise<void>((resolve) => {
      entered = resolve;
    });
    const timer = setTimeout(entered, ENTERED_MS);
    const child = spawn(this.#program, sshArguments(this.#target), {
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.#children.add(child);
    let words = "";
    child.stderr.on("data", (chunk: Buffer) => {
      words = (words + chunk.toString()).slice(-MAX_WORDS);
    });
    // Whichever side goes takes the other with it; the reader sees a cut connection.
    socket.on("error", () => child.kill());
    child.stdin.on("error", () => socket.destroy());
    child.stdout.on("error", () => socket.destroy());
    child.stdout.once("data", () => {
      this.#words = "";
      entered();
    });
    child.on("error", ({ message }) => {
      this.#words = message;
      entered();
      socket.destroy();
    });
    child.on("close", (code) => {
      this.#children.delete(child);
      entered();
      if (code !== 0 && words.trim() !== "") this.#words = words.trim();
      socket.destroy();
    });
    socket.on("close", () => child.kill());
    socket.pipe(child.stdin);
    child.stdout.pipe(socket);
    await login;
    clearTimeout(timer);
  }
}

/** The target stands behind `--`, and begins with no dash: nothing of an address is taken for an option. */
export function sshArguments({ host, user, port, path }: SshTarget): string[] {
  return [
    "-o",
    "BatchMode=yes",
    "-o",
    "ConnectTimeout=10",
    "-o",
    "ServerAliveInterval=15",
    "-T",
    ...(user === undefined ? [] : ["-l", user]),
    ...(port === undefined ? [] : ["-p", String(port)]),
    "--",
    host,
    "docker",
    ...(path === undefined ? [] : ["--host", `unix://${path}`]),
    "system",
    "dial-stdio",
  ];
}

/** Reads `ssh://[USER@]HOST[:PORT][/SOCKET]`. Throws a sentence on anything that could be more than that. */
export function parseSshHost(text: string, url: URL): SshTarget {
  const { hostname, username, password, port, pathname, search, hash } = url;
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  if (password !== "" || search !== "" || hash !== "") {
    throw new Error(
      `Docker host "${text}" cannot be used: ssh:// takes a user, a host, a port and a path, and no password; use a key.`,
    );
  }
  if (
    !/^[A-Za-z0-9_:][A-Za-z0-9_.:-]*$/.test(host) ||
    !/^[A-Za-z0-9_.]?[\w.@+-]*$/.test(username)
  ) {
    throw new Error(`Docker host "${text}" is not an address: use ssh://user@host:port.`);
  }
  const path = pathname === "" || pathname === "/" ? undefined : pathname;
  // The other side's shell reads it.
  if (path !== undefined && !/^[\w./-]+$/.test(path)) {
    throw new Error(`Docker host "${text}" has a socket path of other than plain characters.`);
  }
  return {
    host,
    ...(username !== "" && { user: username }),
    ...(port !== "" && { port: Number(port) }),
    ...(path !== undefined && { path }),
  };
}
