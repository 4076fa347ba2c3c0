import { expect, test } from "vitest";
import { readServerConfig, serverSettings } from "./server-config.ts";

const settings = (text: string) =>
  serverSettings(readServerConfig({ file: { name: "f.yaml", text }, env: {} }).value);

const PLUGINS = `
Plugins:
  slurm:
    SidecarURL: http://127.0.0.1
    SidecarPort: "4000"
    Nodes: [hpc]
  cloud:
    SidecarURL: unix:///run/cloud.sock
    SidecarTokenFile: /token
`;

test("several plugins by name, each with its own address, token and nodes", () => {
  const read = settings(`${PLUGINS}DefaultPlugin: slurm\nPlacementsFile: /var/placements\n`);
  expect(read).toEqual({
    several: {
      plugins: {
        slurm: { address: "http://127.0.0.1:4000", sidecar: {}, nodes: ["hpc"] },
        cloud: { address: "unix:///run/cloud.sock", sidecar: { tokenFile: "/token" }, nodes: [] },
      },
      defaultPlugin: "slurm",
      placements: "/var/placements",
    },
  });
});

test.each([
  ["both one and several", `SidecarURL: http://x\n${PLUGINS}PlacementsFile: /f\n`, "not both"],
  ["no file for the placements", PLUGINS, "give PlacementsFile too"],
  [
    "a default that is not there",
    `${PLUGINS}PlacementsFile: /f\nDefaultPlugin: gone\n`,
    "it has slurm, cloud",
  ],
  ["a default of nothing", "DefaultPlugin: x\n", "belong to Plugins"],
  [
    "a name that is no path",
    "Plugins: { A/b: { SidecarURL: http://x } }\nPlacementsFile: /f\n",
    "small letters",
  ],
  [
    "a node twice",
    `${PLUGINS}    Nodes: [hpc]\nPlacementsFile: /f\n`,
    "both slurm and cloud have the node hpc",
  ],
  [
    "an address that is missing",
    "Plugins:\n  a: {}\nPlacementsFile: /f\n",
    "f.yaml:2: Plugins.a.SidecarURL: it is missing",
  ],
  [
    "half a certificate",
    "Plugins:\n  a: { SidecarURL: http://x, SidecarTLS: { CertFile: /c } }\nPlacementsFile: /f\n",
    "Plugins.a.SidecarTLS.CertFile and KeyFile",
  ],
])("stops the start: %s", (_, text, words) => {
  expect(() => settings(text)).toThrow(words);
});

test("a misspelt key of one of them is named with the one that was meant", () => {
  const text = "Plugins:\n  a:\n    SidecarUrl: http://x\nPlacementsFile: /f\n";
  expect(() => settings(text)).toThrow(/f\.yaml:3: .*SidecarURL/);
});
