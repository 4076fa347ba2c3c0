import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findProgram, runProgram } from "./programs.ts";

/** The release of Debian that this project's CI runs on, and that it knows how to build on. */
export const CODENAME = "bookworm";
const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";
const DEADLINE_MS = 45 * 60_000;

/** A package of Debian, and the program that tells whether it is there. */
export interface BuildPackage {
  name: string;
  program: string;
}

/** Names of those that are not on this machine. */
export function missingPackages(wanted: readonly BuildPackage[]): string[] {
  return wanted.filter(({ program }) => !existsSync(program)).map(({ name }) => name);
}

/** Whether this is the release that CI runs on, with apt. */
export function isDebian12(): boolean {
  const release = existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : "";
  return release.includes(`VERSION_CODENAME=${CODENAME}`) && findProgram("apt-get") !== undefined;
}

/** Installs what is missing of these on this machine, as root. */
export async function ensurePackages(
  wanted: readonly BuildPackage[],
  say: (line: string) => void,
): Promise<void> {
  const names = missingPackages(wanted);
  if (names.length === 0) return;
  say(`Installing ${names.join(", ")}`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const options = { cwd: "/", env };
  // Another archive on the machine that does not answer is none of our business; a missing package is.
  await run("apt-get", ["update", "-qq"], options).catch(() => {});
  await run("apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...names], options);
}

/**
 * Package lists of our own below `folder`, with source packages, from the mirror that this machine uses anyway. Gives
 * the file for `APT_CONFIG`. The machine's own package sources stay as they are.
 */
export async function privateAptConfig(folder: string, suite: string = CODENAME): Promise<string> {
  const wanted = [`Codename: ${CODENAME}`, "Component: main", "Identifier: Packages"];
  const format = ["indextargets", "--format", "$(REPO_URI)"];
  const found = (await runProgram("apt-get", [...format, ...wanted, "Origin: Debian"])).toString();
  const [mirror = ""] = found.split("\n");
  if (mirror === "") {
    throw new Error(`apt knows no Debian archive with ${CODENAME} main; run apt-get update first`);
  }
  const signed = existsSync(KEYRING) ? `[signed-by=${KEYRING}] ` : "";
  const lines = ["deb", "deb-src"].map((type) => `${type} ${signed}${mirror} ${suite} main\n`);
  writeFileSync(join(folder, "sources.list"), lines.join(""));
  for (const name of ["lists/partial", "cache/archives/partial", "sources.list.d"]) {
    mkdirSync(join(folder, name), { recursive: true });
  }
  const config = join(folder, "apt.conf");
  writeFileSync(
    config,
    `Dir::Etc::SourceList "${join(folder, "sources.list")}";
Dir::Etc::SourceParts "${join(folder, "sources.list.d")}";
Dir::State::Lists "${join(folder, "lists")}";
Dir::Cache "${join(folder, "cache")}";
APT::Sandbox::User "";
`,
  );
  return config;
}

/** Nothing that the person may have of their own reaches the build. */
export function cleanEnvironment(folder: string): Record<string, string> {
  const proxies = Object.entries(process.env).filter(([name]) => /_proxy$/i.test(name));
  return {
    ...(Object.fromEntries(proxies) as Record<string, string>),
    PATH: "/usr/lib/go/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    HOME: folder,
    LC_ALL: "C.UTF-8",
  };
}

/** The one entry of a folder whose name ends so. */
export function only(folder: string, end: string): string {
  const [name, ...more] = readdirSync(folder).filter((entry) => entry.endsWith(end));
  if (name === undefined || more.length > 0) {
    throw new Error(`There is not exactly one *${end} in ${folder}`);
  }
  return join(folder, name);
}

/** Runs a program in sight of the person. */
export async function run(
  command: string,
  args: readonly string[],
  options: { cwd: string; env: NodeJS.ProcessEnv },
): Promise<void> {
  const child = spawn(command, args, {
    ...options,
    stdio: ["ignore", "inherit", "inherit"],
    signal: AbortSignal.timeout(DEADLINE_MS),
  });
  const [code, signal] = await once(child, "close");
  if (code !== 0) {
    throw new Error(`${command} ${args.join(" ")} ended with ${String(code ?? signal)}`);
  }
}
