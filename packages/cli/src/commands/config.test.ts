import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ConfigRole } from "../flags.ts";
import { runCommand } from "../testing/run-command.ts";

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "interlink-config-check-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function check(role: ConfigRole, text: string): Promise<string> {
  const file = join(directory, "site.yaml");
  await writeFile(file, text);
  return (await runCommand(["config", "check", "--for", role, file])).stdout;
}

describe("interlink config check", () => {
  const refusals: [ConfigRole, string, string][] = [
    ["node", "NodeName: My_Site\n", 'site.yaml: NodeName "My_Site": use lower-case letters'],
    ["node", "InterlinkURL: http//site\nInterlinkPort: 3000\n", 'the address "http//site" is not'],
    ["node", "InterlinkURL: http://site\nInterlinkPort: abc\n", 'the address "http://site:abc"'],
    ["node", "KubeletPort: 99999\n", 'KubeletPort: "99999" is no port'],
    ["node", "Resources:\n  CPU: many\n", 'Resources.CPU "many": give a Kubernetes quantity'],
    ["server", "InterlinkAddress: http://0.0.0.0\nInterlinkPort: 99999\n", "no address to listen"],
    ["server", "SidecarURL: http//plugin\nSidecarPort: 4000\n", "SidecarURL and SidecarPort: the"],
    ["server", "AllowedSubjects: {node-1: [lab]}\n", "enable TLS and give TLS.CACertFile"],
    ["server", "TLS:\n\tEnabled: true\n", "site.yaml:2: Tabs are not allowed as indentation."],
  ];
  test.each(refusals)("refuses for a %s what its start would: %j", async (role, text, why) => {
    await expect(check(role, text)).rejects.toThrow(why);
  });

  test.each<[ConfigRole, string]>([
    ["node", "NodeName: my-site\nInterlinkURL: https://site.example.org\nInterlinkPort: 3000\n"],
    ["server", "InterlinkAddress: unix:///run/il.sock\nSidecarURL: unix:///run/plugin.sock\n"],
  ])("says that a %s can use %j", async (role, text) => {
    expect(await check(role, text)).toContain(`site.yaml can be used by interlink ${role}.`);
  });

  test("says what to name instead of a directory", async () => {
    await expect(runCommand(["config", "check", directory])).rejects.toThrow(
      `The configuration ${directory} cannot be read: it is a directory; name a file in it.`,
    );
  });
});
