import { access, constants, mkdir, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { CliError } from "../cli-error.ts";
import { stateHome } from "../state-home.ts";

/** Longest path of a unix socket that every system takes (Linux 107, macOS 103). */
const MAX_SOCKET_PATH = 100;

/** Where one system of `interlink up` keeps its files. */
export interface StateDirectory {
  path: string;
  kubeconfigDirectory: string;
  jobs: string;
  pluginSocket: string;
  serverSocket: string;
}

/** `$XDG_STATE_HOME/interlink/NAME`, else `~/.local/state/interlink/NAME`; made if missing, for its owner only. */
export async function openStateDirectory(
  name: string,
  given: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Promise<StateDirectory> {
  if (!/^[a-z0-9]([-a-z0-9]{0,30}[a-z0-9])?$/.test(name)) {
    throw new CliError(
      "usage",
      `--name "${name}": use lower-case letters, digits and "-", at most 32 characters.`,
    );
  }
  const path = given === undefined ? join(stateHome(env), name) : resolve(given);
  await makeDirectory(path);
  const sockets = await socketDirectory(path);
  return {
    path,
    kubeconfigDirectory: join(path, "cluster"),
    jobs: join(path, "jobs"),
    pluginSocket: join(sockets, "plugin.sock"),
    serverSocket: join(sockets, "server.sock"),
  };
}

async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    await access(path, constants.W_OK | constants.X_OK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why =
      code === "EEXIST" || code === "ENOTDIR"
        ? "it or something above it is a file"
        : code === "EACCES" || code === "EPERM" || code === "EROFS"
          ? "this user may not write there"
          : (error as Error).message;
    throw new CliError(
      "unavailable",
      `Cannot keep files in ${path}: ${why}. Give another directory with --state-dir.`,
      { cause: error },
    );
  }
}

/** Beside the rest if the paths are short enough for sockets, else in the temporary directory. */
async function socketDirectory(path: string): Promise<string> {
  if (Buffer.byteLength(join(path, "server.sock")) <= MAX_SOCKET_PATH) return path;
  return mkdtemp(join(tmpdir(), "interlink-"));
}
