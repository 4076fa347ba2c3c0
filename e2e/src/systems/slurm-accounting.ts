import { randomBytes } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { freePorts } from "./free-ports.ts";
import { findProgram, runProgram } from "./programs.ts";
import { waitUntil } from "./wait-until.ts";

/** What keeps the jobs that have ended, in the order in which they start. */
export const ACCOUNTING_DAEMONS = ["mariadbd", "slurmdbd"] as const;
export type AccountingDaemon = (typeof ACCOUNTING_DAEMONS)[number];

export function isAccountingDaemon(name: string): name is AccountingDaemon {
  return ACCOUNTING_DAEMONS.some((one) => one === name);
}

/** Why we cannot start a Slurm with accounting; `undefined` if we can. */
export function whyNoAccounting(): string | undefined {
  const missing = [...ACCOUNTING_DAEMONS, "mariadb-install-db", "sacctmgr"].filter(
    (it) => findProgram(it) === undefined,
  );
  if (missing.length === 0) return undefined;
  return `there is no ${missing.join(", no ")} (Debian packages slurmdbd mariadb-server-core)`;
}

/** A database of our own below a folder, and slurmdbd on it; made anew at each start, as what it held is of no use. */
export class SlurmAccounting {
  readonly #folder: string;
  readonly #plugins: string | undefined;
  #ports: readonly [database: number, accounting: number] = [0, 0];

  /** `plugins`: folder of Slurm's plugins, if not the machine's own. */
  constructor(folder: string, plugins?: string) {
    this.#folder = folder;
    this.#plugins = plugins;
  }

  /** Of slurmdbd. */
  get port(): number {
    return this.#ports[1];
  }

  async configure(): Promise<void> {
    const [database = 0, accounting = 0] = await freePorts(2);
    this.#ports = [database, accounting];
    const data = this.#data;
    rmSync(data, { recursive: true, force: true });
    mkdirSync(data, { mode: 0o700 });
    const words = ["--auth-root-authentication-method=socket", "--skip-test-db"];
    await runProgram("mariadb-install-db", [
      "--no-defaults",
      "--user=root",
      `--datadir=${data}`,
      ...words,
    ]);
    const password = randomBytes(16).toString("hex");
    const sql = [
      "CREATE DATABASE slurm;",
      `CREATE USER slurm@'127.0.0.1' IDENTIFIED BY '${password}';`,
      "GRANT ALL ON slurm.* TO slurm@'127.0.0.1';",
    ];
    writeFileSync(join(data, "init.sql"), `${sql.join("\n")}\n`, { mode: 0o600 });
    const settings = {
      AuthType: "auth/munge",
      AuthInfo: `socket=${join(this.#folder, "munge/socket")}`,
      DbdHost: "localhost",
      DbdAddr: "127.0.0.1",
      DbdPort: accounting,
      SlurmUser: "root",
      PidFile: join(this.#folder, "slurmdbd.own.pid"),
      StorageType: "accounting_storage/mysql",
      StorageHost: "127.0.0.1",
      StoragePort: database,
      StorageLoc: "slurm",
      StorageUser: "slurm",
      StoragePass: password,
      ...(this.#plugins !== undefined && { PluginDir: this.#plugins }),
    };
    const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
    const file = join(this.#folder, "slurmdbd.conf");
    rmSync(file, { force: true });
    writeFileSync(file, lines.join(""), { mode: 0o600 });
  }

  arguments(name: AccountingDaemon): string[] {
    if (name === "slurmdbd") return ["-D"];
    return [
      "--no-defaults",
      "--user=root",
      `--datadir=${this.#data}`,
      `--socket=${join(this.#data, "socket")}`,
      `--pid-file=${join(this.#data, "own.pid")}`,
      `--port=${this.#ports[0]}`,
      "--bind-address=127.0.0.1",
      `--init-file=${join(this.#data, "init.sql")}`,
      "--innodb-buffer-pool-size=64M",
      "--innodb-log-file-size=16M",
      // Nothing of it is worth a wait for the disk.
      "--innodb-flush-log-at-trx-commit=0",
      "--innodb-lock-wait-timeout=900",
      "--skip-name-resolve",
    ];
  }

  async ready(name: AccountingDaemon): Promise<void> {
    const port = this.#ports[name === "mariadbd" ? 0 : 1];
    await waitUntil(`${name} listens`, () => listens(port), 60_000);
  }

  get #data(): string {
    return join(this.#folder, "database");
  }
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
