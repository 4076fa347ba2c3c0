import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Server } from "node:net";
import { join } from "node:path";
import type { OrdinaryUser } from "../systems/ordinary-user.ts";
import { OwnedProcess } from "../systems/owned-process.ts";
import { findProgram, runProgram } from "../systems/programs.ts";
import { publicFolder } from "../systems/public-folder.ts";
import { waitUntil } from "../systems/wait-until.ts";

/** In the network behind the login node, and nowhere else. */
export const OUTSIDE = "10.99.99.1";

/** Sentence in the name of a skipped test; `""`: all that is needed is there. */
export function whyNoLoginNode(): string {
  const missing = [
    ...(findProgram("sshd") === undefined ? ["sshd (openssh-server)"] : []),
    ...(findProgram("ip") === undefined ? ["ip (iproute2)"] : []),
    ...(tsocksLibrary() === undefined ? ["libtsocks (tsocks)"] : []),
  ];
  return missing.length === 0 ? "" : ` [skipped: no ${missing.join(", no ")}]`;
}

/** Debian's, wherever the machine's architecture has it. */
export function tsocksLibrary(): string | undefined {
  return readdirSync("/usr/lib")
    .map((name) => join("/usr/lib", name))
    .filter((folder) => folder.endsWith("-linux-gnu"))
    .map((folder) => join(folder, "libtsocks.so"))
    .find((file) => readdirSync(join(file, "..")).includes("libtsocks.so"));
}

/**
 * A real OpenSSH server of a network of its own, in which {@link OUTSIDE} is: this machine reaches that only through it.
 * Whoever has the key may log in, as nobody.
 */
export class LoginNode implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(publicFolder("providers"), "login-"));
  readonly #log = join(this.#folder, "log");
  readonly #network: OwnedProcess;
  readonly #server: Server;

  private constructor() {
    chmodSync(this.#folder, 0o755);
    const network = `ip link set lo up && ip addr add ${OUTSIDE}/32 dev lo && exec sleep infinity`;
    this.#network = new OwnedProcess(
      "network",
      ["unshare", "--net", "sh", "-c", network],
      join(this.#folder, "network.log"),
    );
    // One sshd for each connection, which it takes over: the way into another network.
    this.#server = createServer({ pauseOnConnect: true }, (socket) => {
      const sshd = ["-i", "-f", join(this.#folder, "sshd_config"), "-E", this.#log];
      const [program = "", ...args] = [...this.within, findProgram("sshd") ?? "sshd", ...sshd];
      spawn(program, args, { stdio: [socket, socket, "ignore"] });
      socket.destroy();
    });
  }

  /** `user`: whose key it is. */
  static async start(user: OrdinaryUser): Promise<LoginNode> {
    const node = new LoginNode();
    const file = (name: string) => join(node.#folder, name);
    for (const name of ["host", "key"]) {
      await runProgram("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", file(name)]);
    }
    await runProgram("chown", [String(user.uid), file("key")]);
    mkdirSync("/run/sshd", { recursive: true });
    writeFileSync(
      file("sshd_config"),
      `HostKey ${file("host")}\nUsePAM no\nStrictModes no\nPasswordAuthentication no\nPermitTTY no\n` +
        `KbdInteractiveAuthentication no\nAuthorizedKeysFile ${file("key.pub")}\n`,
    );
    node.#server.listen(0, "127.0.0.1");
    await once(node.#server, "listening");
    await waitUntil("its network is there", async () => {
      const told = await runProgram("nsenter", [...node.within.slice(1), "ip", "-o", "addr"]);
      if (!told.includes(OUTSIDE)) throw new Error(told.toString());
      return true;
    });
    return node;
  }

  /** Words before a program that is to run in its network. */
  get within(): string[] {
    return ["nsenter", `--net=/proc/${this.#network.pid}/ns/net`];
  }

  /** Of the plugin's configuration. */
  get settings(): Record<string, unknown> {
    const { port } = this.#server.address() as AddressInfo;
    return {
      Tsocks: true,
      TsocksLoginNode: "nobody@127.0.0.1",
      TsocksSshOptions: [
        `-F none -p ${port} -i ${join(this.#folder, "key")}`,
        "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null",
      ],
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    await this.#network.kill9();
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** A directory with bash of this machine, and all that it needs: its connections are made by the C library. */
export async function bashImage(folder: string): Promise<string> {
  for (const name of ["bash", "cat", "true"]) {
    const program = findProgram(name) ?? name;
    const told = (await runProgram("ldd", [program])).toString();
    const libraries = [...told.matchAll(/(\/[^\s]+) \(0x/g)].flatMap(([, path]) => path ?? []);
    await runProgram("install", ["-D", "-m", "755", program, join(folder, "bin", name)]);
    for (const library of libraries) {
      await runProgram("install", ["-D", "-m", "755", library, join(folder, library)]);
    }
  }
  for (const name of ["dev", "etc", "home", "proc", "root", "sys", "tmp", "usr", "var/tmp"]) {
    mkdirSync(join(folder, name), { recursive: true });
  }
  return folder;
}
