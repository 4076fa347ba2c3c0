import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { startCluster } from "@interlink/cluster";
import { describe, expect, test } from "vitest";
import { Kubectl } from "./harness/kubectl.ts";
import { interlinkMain, Program } from "./harness/program.ts";
import { describeKubectl } from "./systems/describe-system.ts";
import { waitUntil } from "./systems/wait-until.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const read = (file: string) => readFileSync(join(root, file), "utf8");
const markdown = (folder: string) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith(".md"))
    .map((name) => join(folder, name));
const pages = [
  ...markdown("."),
  ...markdown("docs"),
  ...markdown("docs/decisions"),
  "examples/README.md",
  "e2e/README.md",
];

/** The command lines of a page's `sh` blocks and of its inline code, without prompts and comments. */
function commandLines(page: string): string[] {
  const text = read(page);
  const blocks = [...text.matchAll(/^```sh\n([^]*?)^```$/gm)].flatMap(([, block = ""]) =>
    block.replaceAll("\\\n", " ").split("\n"),
  );
  const inline = [...text.matchAll(/`([^`\n]+)`/g)].map(([, code = ""]) => code);
  return [...blocks, ...inline].map((line) => line.replace(/\s#.*$/, "").trim());
}

/** The arguments that a line gives to `interlink`, however it calls it. */
function interlinkArguments(line: string): string[] | undefined {
  const [, given] = /^(?:npx interlink|interlink|npm start --) (.+)$/.exec(line) ?? [];
  return given?.split(/\s+/);
}

const help = new Map<string, string>();
function helpOf(...words: string[]): string {
  const command = words.join(" ");
  const known = help.get(command);
  if (known !== undefined) return known;
  const { stdout } = spawnSync(process.execPath, [interlinkMain, ...words, "--help"], {
    encoding: "utf8",
  });
  help.set(command, stdout);
  return stdout;
}

describe.each(pages)("%s", (page) => {
  test("links to files that exist", () => {
    const links = [...read(page).matchAll(/\]\((?!https?:|#)([^)#\s]+)[^)]*\)/g)];
    const missing = links
      .map(([, target = ""]) => target)
      .filter((target) => !existsSync(resolve(root, dirname(page), target)));
    expect(missing).toEqual([]);
  });

  test("names npm scripts, examples and packages that exist", () => {
    const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
    for (const line of commandLines(page)) {
      const [, script] = /^npm run ([\w-]+)/.exec(line) ?? [];
      if (script !== undefined) expect(Object.keys(scripts), line).toContain(script);
      for (const [file] of line.matchAll(/\b(?:examples|packages)\/[\w./-]+/g)) {
        expect(existsSync(join(root, file)), line).toBe(true);
      }
    }
  });

  test("names commands and options that the program has", () => {
    for (const line of commandLines(page)) {
      const [command = "", ...rest] = interlinkArguments(line) ?? [];
      if (!/^[a-z]+$/.test(command)) continue;
      // A command may have commands of its own: `interlink config check`.
      const inner = rest.filter((word, at) => at === 0 && /^[a-z]+$/.test(word));
      const text = helpOf(command) + helpOf(command, ...inner);
      expect(text, line).toContain(`Usage: interlink ${command}`);
      for (const option of rest.filter((word) => word.startsWith("--"))) {
        expect(text, line).toContain(`${option.split("=")[0]} `);
      }
    }
  });
});

describe("the commands of README.md", () => {
  const lines = commandLines("README.md");

  test("the batch command ends with the exit code that is told", async () => {
    const line = lines.find((one) => one.startsWith("npm start -- up --exit")) ?? "";
    const state = await mkdtemp(join(tmpdir(), "interlink-readme-"));
    try {
      const given = (interlinkArguments(line) ?? []).map((word) =>
        word.startsWith("examples/") ? join(root, word) : word,
      );
      await using program = new Program([...given, "--plugin", "process", "--state-dir", state]);
      const { code } = await program.ended;
      expect(read("README.md")).toContain(`exit code, here ${code}`);
    } finally {
      await rm(state, { recursive: true, force: true });
    }
  });

  describeKubectl("with kubectl", () => {
    test("the three parts, run as written, run a pod of examples/", async () => {
      const directory = await mkdtemp(join(tmpdir(), "interlink-readme-"));
      const cluster = await startCluster({ directory });
      const stay = (word: string) =>
        word
          .replace("/run/interlink", directory)
          .replace("/var/lib/interlink", join(directory, "jobs"))
          .replace("127.0.0.1:3000", `unix://${directory}/server.sock`)
          .replace("http://unix:", "unix:")
          .replace("~/.kube/config", cluster.kubeconfigFile)
          .replace(/^docker$/, "process");
      const programs: Program[] = [];
      try {
        for (const part of ["plugin", "server", "node"]) {
          const line = lines.find((one) => one.startsWith(`interlink ${part} `)) ?? "";
          const given = (interlinkArguments(line) ?? []).map(stay);
          // The port of the kubelet API is the one thing that two test runs would fight for.
          if (part === "node") given.push("--kubelet-port", "0", "--address", "127.0.0.1");
          const program = new Program(given);
          programs.push(program);
          await program.ready();
        }
        const kubectl = new Kubectl(cluster.kubeconfigFile);
        await kubectl.run(["apply", "-f", join(root, "examples", "hello.yaml")]);
        await waitUntil("the pod has told its greeting", async () => {
          const log = await kubectl.run(["logs", "hello"]);
          return log.includes("Hello from pod hello on node my-site");
        });
      } finally {
        for (const program of programs.toReversed()) await program[Symbol.asyncDispose]();
        await cluster.close();
        await rm(directory, { recursive: true, force: true });
      }
    });
  });

  test("every file of examples/ is in its README", () => {
    const files = readdirSync(join(root, "examples")).filter((name) => name.endsWith(".yaml"));
    for (const file of files) expect(read("examples/README.md")).toContain(`\`${file}\``);
  });
});
