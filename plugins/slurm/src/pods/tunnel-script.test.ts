import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { jobScript } from "./job-script.ts";
import { openTunnel, type TunnelSettings } from "./tunnel-script.ts";

/**
 * A program in the place of ssh: writes down its words and its process id, and does what the file `moods` has for its
 * next life, by lines: `up` listens on its control socket, `die` ends at once, all else is what it says before that.
 */
const SSH = `#!${process.execPath}
const fs = require("node:fs");
const here = __dirname;
const words = process.argv.slice(2);
fs.appendFileSync(here + "/lives", JSON.stringify({ pid: process.pid, words, preload: process.env.LD_PRELOAD ?? "" }) + "\\n");
const [mood, ...rest] = fs.readFileSync(here + "/moods", "utf8").trim().split("\\n");
if (rest.length > 0) fs.writeFileSync(here + "/moods", rest.join("\\n"));
if (mood !== "up") {
  if (mood !== "die") console.error(mood);
  process.exit(255);
}
process.on("SIGTERM", () => process.exit(0));
const socket = words[words.indexOf("-S") + 1];
if (socket !== "none") require("node:net").createServer().listen(socket);
setInterval(() => undefined, 1000);
`;

let folder: string;
let job: ChildProcess | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "a job's tunnel-"));
  await writeFile(join(folder, "ssh"), SSH);
  await chmod(join(folder, "ssh"), 0o755);
  await writeFile(join(folder, "library.so"), "");
});
afterEach(async () => {
  job?.kill("SIGKILL");
  job = undefined;
  await rm(folder, { recursive: true, force: true });
});

const tunnel = (rest: Partial<TunnelSettings> = {}): TunnelSettings => ({
  ssh: join(folder, "ssh"),
  options: ["-i", "it's a $(key)"],
  node: "user@login",
  direct: ["10.0.0.0/8", "192.0.2.7/32"],
  ...rest,
});

/** A job whose pod is this text of bash. */
async function script(
  pod: string,
  rest: Partial<TunnelSettings> = {},
  shell: string[] = [],
  seconds = 60,
) {
  const file = join(folder, "job.sh");
  const text = jobScript({
    bash: "/bin/bash",
    script: `#!/bin/bash\n${pod}\n`,
    shell,
    tunnel: tunnel(rest),
    tunnelSeconds: seconds,
  });
  await writeFile(file, text);
  return { file, env: { PATH: process.env["PATH"], SLURM_JOB_ID: "7" } };
}

async function run(...all: Parameters<typeof script>): Promise<string> {
  const { file, env } = await script(...all);
  const { stdout, stderr } = spawnSync("/bin/bash", ["-p", file, folder], {
    encoding: "utf8",
    env,
    timeout: 60_000,
  });
  return stdout + stderr;
}

const after = (words: readonly string[] = [], word: string) => words[words.indexOf(word) + 1] ?? "";
const moods = (...some: string[]) => writeFile(join(folder, "moods"), some.join("\n"));

async function lives(): Promise<{ pid: number; words: string[]; preload: string }[]> {
  const text = await readFile(join(folder, "lives"), "utf8").catch(() => "");
  return text
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

const untilEnded = (pid: number) =>
  vi.waitFor(() => expect(existsSync(`/proc/${pid}`)).toBe(false), { timeout: 60_000 });

describe("a job's tunnel", { timeout: 120_000 }, () => {
  it("is open before its pod begins, and ends with it", async () => {
    await moods("up");
    const said = await run('cat "$1/tsocks.conf"; echo "$INTERLINK_PROXY $INTERLINK_NO_PROXY"');
    const [life] = await lives();
    const [, port = ""] = /^127\.0\.0\.1:(\d+)$/.exec(after(life?.words, "-D")) ?? [];
    expect(said).toBe(
      [
        "server = 127.0.0.1",
        "server_type = 5",
        `server_port = ${port}`,
        "local = 10.0.0.0/255.0.0.0",
        "local = 192.0.2.7/255.255.255.255",
        `127.0.0.1:${port} 10.0.0.0/8,192.0.2.7/32`,
        "",
      ].join("\n"),
    );
    expect(life?.words.slice(0, 3)).toEqual(["-i", "it's a $(key)", "-N"]);
    expect(life?.words).toContain("BatchMode=yes");
    expect(life?.words.slice(-2)).toEqual(["--", "user@login"]);
    await untilEnded(life?.pid ?? 0);
    expect(existsSync(dirname(after(life?.words, "-S")))).toBe(false);
  });

  it("tries another port when one is taken", async () => {
    await moods("cannot listen to port", "die", "up");
    expect(await run('echo "[$il_refused]"')).toBe("[]\n");
    const ports = (await lives()).map(({ words }) => after(words, "-D"));
    expect(new Set(ports).size).toBeGreaterThan(1);
  });

  it("that cannot be opened says why, in the last words of ssh, and runs nothing before the pod", async () => {
    await moods("user@login: Permission denied (publickey).");
    expect(await run('echo "[$il_refused]"', {}, ["echo before"], 0)).toBe(
      "[a tunnel to user@login is needed (Tsocks), and could not be opened: user@login: Permission denied (publickey).]\n",
    );
  });

  it("needs its library to be there", async () => {
    const library = join(folder, "none.so");
    expect(await run('echo "$il_refused"', { library })).toBe(
      `the library of tsocks (TsocksPath), ${library}, cannot be read on this compute node\n`,
    );
    expect(await lives()).toEqual([]);
  });

  it("is for what the site starts before the pod as well, and not for the runtime", async () => {
    await moods("up");
    const library = join(folder, "library.so");
    const said = await run('echo "[${LD_PRELOAD-none}]"', { library }, [
      'echo "$LD_PRELOAD $TSOCKS_CONF_FILE" >"$1/before"; LD_PRELOAD+=:/other.so',
    ]);
    expect(await readFile(join(folder, "before"), "utf8")).toBe(
      `${library} ${folder}/tsocks.conf\n`,
    );
    expect(said).toContain("[/other.so]");
    expect((await lives())[0]?.preload).toBe("");
  });

  it("is begun again on its port when it ends, and ends with a job that is killed", async () => {
    await moods("up");
    const { file, env } = await script("sleep 1000 & wait");
    job = spawn("/bin/bash", ["-p", file, folder], { env, stdio: "ignore" });
    await vi.waitFor(() => expect(existsSync(join(folder, "tsocks.conf"))).toBe(true), {
      timeout: 60_000,
    });
    const [first] = await lives();
    process.kill(first?.pid ?? 0, "SIGKILL");
    await vi.waitFor(async () => expect(await lives()).toHaveLength(2), { timeout: 60_000 });
    const [, second] = await lives();
    expect(after(second?.words, "-D")).toBe(after(first?.words, "-D"));
    job.kill("SIGKILL");
    await untilEnded(second?.pid ?? 0);
  });
});

it("takes whatever is in its settings for words", () => {
  const lines = openTunnel(tunnel({ node: "a'; id; '" })).join("\n");
  expect(lines).toContain(`'a'\\''; id; '\\'''`);
});
