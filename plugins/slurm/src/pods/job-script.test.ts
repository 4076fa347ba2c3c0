import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, readlink, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { PULL_SCRIPT } from "../runtime/pull-image.ts";
import { scriptRuntime } from "../runtime/script-runtime.ts";
import { tunnelHook } from "../runtime/tunnel-mounts.ts";
import { CLAIM_FILE, type JobScriptOptions, jobScript, UNWRITABLE_CODE } from "./job-script.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "job script "));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function run(
  { path = "/usr/bin", ...rest }: Partial<JobScriptOptions> & { path?: string } = {},
  directory = folder,
) {
  const file = join(tmpdir(), `job-${process.pid}.sh`);
  const script = '#!/bin/other\nprintf "runs %s %s %s" "$1" "${POD_IP-}" "${SITE-}"\n';
  await writeFile(file, jobScript({ bash: "/bin/bash", script, shell: [], ...rest }));
  const ended = spawnSync("/bin/bash", ["-p", file, directory], {
    encoding: "utf8",
    env: { PATH: `${path}:${process.env["PATH"]}`, SLURM_JOB_ID: "7" },
  });
  await rm(file);
  return { code: ended.status, said: ended.stdout + ended.stderr };
}

it("claims the pod for its job and runs it", async () => {
  expect(await run()).toEqual({ code: 0, said: `runs ${folder}  ` });
  expect(await readlink(join(folder, CLAIM_FILE))).toBe("7");
});

it("gives the job variables as they are, whatever is in them", async () => {
  const value = `a'"$(id)\`id\`\\ b`;
  const script = '#!/bin/other\nprintf "%s|" "$TRACEPARENT" "$TRACESTATE"\n';
  const variables = [
    { name: "TRACEPARENT", value: "00-1-2-01" },
    { name: "TRACESTATE", value },
  ];
  expect(await run({ script, variables })).toEqual({ code: 0, said: `00-1-2-01|${value}|` });
});

it("runs again as the same job, but never as another", async () => {
  await run();
  expect((await run()).said).toContain("runs");
  await rm(join(folder, CLAIM_FILE));
  await symlink("6", join(folder, CLAIM_FILE));
  expect(await run()).toEqual({ code: 0, said: "interlink: another job runs this pod\n" });
});

/** A program that the script finds before the machine's own. */
async function shim(name: string, text: string): Promise<void> {
  await writeFile(join(folder, name), `#!/bin/bash\n${text}\n`, { mode: 0o755 });
}

it("waits for a directory in which nothing can be written now", async () => {
  await shim("sleep", `echo >>${JSON.stringify(join(folder, "slept"))}`);
  await shim(
    "ln",
    `[[ $(wc -c <${JSON.stringify(join(folder, "slept"))}) -lt 3 ]] || /bin/ln "$@"`,
  );
  await writeFile(join(folder, "slept"), "");
  expect((await run({ path: folder })).said).toContain("runs");
  expect(await readlink(join(folder, CLAIM_FILE))).toBe("7");
});

it("begins nothing where it cannot write, and says so by its exit code", async () => {
  await shim("sleep", "");
  await shim("ln", "exit 1");
  expect(await run({ path: folder })).toEqual({
    code: UNWRITABLE_CODE,
    said: `interlink: nothing can be written to ${folder}\n`,
  });
});

it("runs nothing for a pod that is gone", async () => {
  const gone = join(folder, "gone");
  expect((await run({}, gone)).said).toBe("interlink: the pod has been deleted\n");
});

it("reads the shell text of the site in the job's own shell", async () => {
  const shell = ['export SITE="it\'s"', "# a comment without an end"];
  expect((await run({ shell, podIp: "10.0.0.1" })).said).toBe(`runs ${folder} 10.0.0.1 it's`);
});

it("runs the pod whatever is not closed in shell text", async () => {
  const { said } = await run({ shell: ["echo 'open", "cat <<EOF\nx", "if true"] });
  expect(said).toContain(`runs ${folder}`);
});

it("cleans up at its end", async () => {
  await run({ cleanUp: [`ln -s "it's done" ${CLAIM_FILE}`], shell: ['cd -- "$1"', "rm job-id"] });
  expect(await readlink(join(folder, CLAIM_FILE))).toBe("it's done");
});

const hasShellcheck = spawnSync("shellcheck", ["--version"]).status === 0;
const spec = { kind: "regular", container: { name: "main" }, env: [], mounts: [] } as const;

it.skipIf(!hasShellcheck).each([
  [
    "a job",
    jobScript({
      bash: "/bin/bash",
      script: "#!\ntrue",
      shell: ["x"],
      mesh: "y",
      podIp: "10.0.0.1",
      variables: [{ name: "A", value: "b" }],
      cleanUp: ["rm 'x'"],
      tunnel: { ssh: "ssh", options: ["-v"], node: "a", library: "/l.so", direct: [] },
    }),
  ],
  ["a pull", PULL_SCRIPT],
  [
    "a hook of the tunnel",
    `#!/bin/sh\n${Buffer.from(tunnelHook(spec, "/l.so").content).toString()}`,
  ],
  [
    "a site's script",
    scriptRuntime({ script: "", owner: "main", bash: "", takesCommands: true })
      .files?.(spec)
      .map(({ content }) => Buffer.from(content).toString())
      .join(""),
  ],
])("the script of %s is clean by shellcheck", (_, input) => {
  const { stdout } = spawnSync("shellcheck", ["-"], { input: input ?? "", encoding: "utf8" });
  expect(stdout).toBe("");
});

describe("in a mesh", { timeout: 60_000 }, () => {
  const mesh = '#!/bin/bash\necho "mesh in $TMPDIR" >>"$SEEN/seen"\nexport IN=net\n"$@"\n';

  it("runs all but the shell text of the site in it, and ends as that does", async () => {
    const shell = [`export SITE=once SEEN="${folder}"; echo site >>"$SEEN/seen"`];
    const { code, said } = await run({ mesh, shell, script: "#!\necho $IN $SITE $1; exit 7" });
    expect({ code, said }).toEqual({ code: 7, said: `net once ${folder}\n` });
    expect(await readFile(join(folder, "seen"), "utf8")).toBe(`site\nmesh in ${folder}/mesh\n`);
  });

  it("hands on what it is asked, whoever stands between", async () => {
    const script =
      '#!\ntrap "echo asked; exit 9" TERM; trap "echo news" URG; echo here; while :; do sleep 0.05; done';
    const file = join(folder, "job.sh");
    const shell = [`export SEEN="${folder}"`];
    await writeFile(file, jobScript({ bash: "/bin/bash", script, shell, mesh }));
    const job = spawn("/bin/bash", ["-p", file, folder], {
      env: { PATH: process.env["PATH"], SLURM_JOB_ID: "7" },
      stdio: ["ignore", "pipe", "inherit"],
    });
    let said = "";
    job.stdout.on("data", (piece: Buffer) => {
      said += piece.toString();
    });
    const ended = once(job, "close");
    const until = (word: string) =>
      vi.waitFor(() => expect(said).toContain(word), { timeout: 30_000 });
    await until("here");
    job.kill("SIGURG");
    await until("news");
    job.kill("SIGTERM");
    expect((await ended)[0]).toBe(9);
    expect(said).toBe("here\nnews\nasked\n");
  });
});
