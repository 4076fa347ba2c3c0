import { readFileSync } from "node:fs";
import { join } from "node:path";
import { runProgram } from "./programs.ts";
import { publicFolder } from "./public-folder.ts";
import { waitUntil } from "./wait-until.ts";

/** A user of this machine without rights, as a site's plugin runs as one. Plain data. */
export interface OrdinaryUser {
  name: string;
  uid: number;
  gid: number;
  home: string;
}

const NAME = "interlink-e2e";

/** The one that all tests share, or another one: made at the first need, as root, and left there. */
export async function ordinaryUser(name = NAME): Promise<OrdinaryUser> {
  const found = lookUp(name);
  if (found !== undefined) return found;
  const home = join(publicFolder(), name === NAME ? "home" : `home-of-${name}`);
  const words = ["--create-home", "--home-dir", home, "--shell=/bin/bash", name];
  try {
    await runProgram("useradd", words);
  } catch (error) {
    // Another test file may be making it just now.
    return await waitUntil(`there is a user ${name}`, () => lookUp(name)).catch(() => {
      throw error;
    });
  }
  const made = lookUp(name);
  if (made === undefined) throw new Error(`useradd made no user ${name}`);
  return made;
}

/**
 * The command line that runs a program as that user, with nothing of our environment but what is given. The kernel ends it
 * when we die; as whoever changes user loses that wish, it is said here.
 */
export function asUser(
  user: OrdinaryUser,
  env: Readonly<Record<string, string>>,
  command: readonly string[],
): string[] {
  const identity = [
    `--reuid=${user.uid}`,
    `--regid=${user.gid}`,
    "--init-groups",
    "--pdeathsig=KILL",
  ];
  const own = { PATH: "/usr/bin:/bin", HOME: user.home, USER: user.name, LOGNAME: user.name };
  const settings = Object.entries({ ...own, ...env }).map(([name, value]) => `${name}=${value}`);
  return ["setpriv", ...identity, "--", "env", "-i", ...settings, ...command];
}

function lookUp(name: string): OrdinaryUser | undefined {
  for (const line of readFileSync("/etc/passwd", "utf8").split("\n")) {
    const [user, , uid, gid, , home = "/"] = line.split(":");
    if (user === name) return { name, uid: Number(uid), gid: Number(gid), home };
  }
  return undefined;
}
