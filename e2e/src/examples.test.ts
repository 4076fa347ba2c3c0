import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { Kubectl } from "./harness/kubectl.ts";
import { Program } from "./harness/program.ts";
import { describeDocker, describeKubectl } from "./systems/describe-system.ts";
import { waitUntil } from "./systems/wait-until.ts";

const folder = fileURLToPath(new URL("../../examples/", import.meta.url));

interface Example {
  file: string;
  /** Exit code of `interlink up --exit`. */
  exitCode: number;
  /** Lines of its log, in order. */
  says: RegExp;
}

const examples: Example[] = [
  {
    file: "hello.yaml",
    exitCode: 0,
    says: /hello\/hello \| Hello from pod hello on node interlink/,
  },
  { file: "init-and-volume.yaml", exitCode: 0, says: /\| prepared by the init container/ },
  {
    file: "config-and-secret.yaml",
    exitCode: 0,
    says: /\| Good morning \(en\)[^]*\| The password is the same in both places: 28 characters/,
  },
  { file: "failing.yaml", exitCode: 42, says: /failing\/fail \| About to fail/ },
  { file: "two-containers.yaml", exitCode: 0, says: /\| line 1\n[^]*\| line 2\n[^]*\| line 3\n/ },
  {
    file: "job-with-retries.yaml",
    exitCode: 0,
    says: /part [01]: first try fails[^]*part [01]: done/,
  },
];

async function up(
  args: readonly string[],
  env: Record<string, string>,
  use: (program: Program) => Promise<void>,
) {
  const state = await mkdtemp(join(tmpdir(), "interlink-up-"));
  try {
    await using program = new Program(["up", "--state-dir", state, ...args], env);
    await use(program);
  } finally {
    await rm(state, { recursive: true, force: true });
  }
}

function suite(plugin: "process" | "docker", env: Record<string, string>) {
  test.each(examples)("$file ends with $exitCode and says what it should", async (example) => {
    await up(["--plugin", plugin, "--exit", join(folder, example.file)], env, async (program) => {
      expect(await program.ended, program.stdout + program.stderr).toEqual({
        code: example.exitCode,
        signal: null,
      });
      expect(program.stdout).toMatch(example.says);
    });
  });

  describeKubectl("with kubectl beside it", () => {
    test("long-running.yaml is deleted in mid-flight, says goodbye, and Ctrl-C ends the rest", async () => {
      await up(["--plugin", plugin, join(folder, "long-running.yaml")], env, async (program) => {
        await program.output(/\| tick 1\n/);
        const [, kubeconfig = ""] = await program.output(/export KUBECONFIG=(\S+)/);
        const kubectl = new Kubectl(kubeconfig);
        const following = kubectl.run(["logs", "-f", "long-running"]);
        await program.output(/\| tick 2\n/);
        await kubectl.run(["delete", "pod", "long-running"]);
        expect(await following).toMatch(/tick 2\n(tick \d+\n)*goodbye\n$/);
        expect(await kubectl.run(["get", "pods"])).toBe("");
        program.signal("SIGINT");
        expect(await program.ended, program.stdout + program.stderr).toEqual({
          code: 0,
          signal: null,
        });
      });
    });
  });
}

describe("examples on the process plugin", () => suite("process", {}));

describeDocker("examples on the Docker plugin", (docker) =>
  suite("docker", { DOCKER_HOST: docker.host }),
);

test("every example is in this test", async () => {
  const files = (await readdir(folder)).filter((file) => file.endsWith(".yaml"));
  const known = [...examples.map(({ file }) => file), "long-running.yaml"];
  expect(files.toSorted()).toEqual(known.toSorted());
});

test("a typo in a manifest is told with its file and line, and nothing is left running", async () => {
  const directory = await mkdtemp(join(tmpdir(), "interlink-typo-"));
  try {
    const { writeFile } = await import("node:fs/promises");
    const file = join(directory, "typo.yaml");
    await writeFile(
      file,
      "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n    - {name: a, imagee: b}\n",
    );
    await up(["--plugin", "process", file], {}, async (program) => {
      expect(await program.ended).toEqual({ code: 2, signal: null });
      expect(program.stderr).toContain(`${file}:1 (Pod a)`);
      expect(program.stderr).toContain("imagee");
      await waitUntil("its process is gone", () => program.isOver);
    });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
