import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { Program } from "../harness/program.ts";

const PAGE = new URL("../../../docs/plugins/slurm.md", import.meta.url);

test("the plugin starts with each configuration that its page shows, also where there is no Slurm", async () => {
  const page = await readFile(PAGE, "utf8");
  const examples = [...page.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, text = ""]) => text);
  expect(examples.length).toBe(3);
  const directory = await mkdtemp(join(tmpdir(), "interlink-slurm-examples-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  for (const [index, text] of examples.entries()) {
    const file = join(directory, `${index}.yaml`);
    await writeFile(file, text);
    const socket = `unix://${join(directory, `${index}.sock`)}`;
    const root = join(directory, `root-${index}`);
    const args = ["plugin", "slurm", "--config", file, "--listen", socket, "--root", root];
    // No Slurm is asked, whatever this machine has.
    await using program = new Program(args, { SLURM_CONF: "/dev/null" });
    await program.ready();
  }
});
