import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { Compile } from "typebox/schema";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import type { CliContext } from "./cli-context.ts";
import { buildProgram } from "./program.ts";

const ROOT = new URL("../../../", import.meta.url);
const text = (path: string) => readFileSync(new URL(path, ROOT), "utf8");

/** What our command line has against these words; nothing is run. */
function complaintAbout(words: readonly string[]): string | undefined {
  const program = buildProgram({ stdout: process.stdout } as unknown as CliContext);
  const [name = "", ...rest] = words;
  const command: Command | undefined = program.commands.find((one) => one.name() === name);
  if (command === undefined) return `no command ${name}`;
  const { operands, unknown } = command.parseOptions(rest);
  if (unknown.length > 0) return `unknown ${unknown.join(" ")}`;
  return operands.length > command.registeredArguments.length ? "too many words" : undefined;
}

describe("the schema of the chart's values", () => {
  const schema = Compile(JSON.parse(text("deploy/chart/values.schema.json")) as object);
  const own = parse(text("deploy/chart/values.yaml")) as Record<string, object>;

  test("takes the chart's own values", () => {
    expect(schema.Errors(own)).toEqual([true, []]);
  });

  test("takes every key of the existing chart but images", () => {
    const existing: unknown = parse(text("deploy/chart/ci/existing-values.yaml"));
    expect(schema.Errors(existing)).toEqual([true, []]);
  });

  test.each<[string, object]>([
    ["a misspelt key", { nodename: "x" }],
    ["a misspelt key inside", { virtualNode: { ...own["virtualNode"], nodeLables: [] } }],
    ["a name that no object may have", { nodeName: "My_Node" }],
    ["a label that is none", { virtualNode: { ...own["virtualNode"], nodeLabels: ["x"] } }],
    ["a socket without unix://", { interlink: { ...own["interlink"], socket: "/run/x" } }],
    ["an unknown plugin", { plugin: { ...own["plugin"], kind: "podman" } }],
    ["a misspelt taint", { virtualNode: { ...own["virtualNode"], nodeTaints: [{ name: "x" }] } }],
  ])("refuses %s", (_, values) => {
    expect(schema.Check({ ...own, ...values })).toBe(false);
  });

  test.each<[string, object]>([
    ["the tunnels' keys", { virtualNode: { ...own["virtualNode"], network: { fullMesh: true } } }],
    ["a bastion that is off", { sshBastion: { enabled: false, port: 31022 } }],
    ["numbers as text", { interlink: { ...own["interlink"], port: "3000" } }],
    ["no socket", { plugin: { ...own["plugin"], socket: null } }],
  ])("takes %s of an existing file", (_, values) => {
    expect(schema.Check({ ...own, ...values })).toBe(true);
  });
});

describe("the compose file", () => {
  interface Service {
    command: string[];
    [key: string]: unknown;
  }
  const file = parse(text("docker-compose.yaml")) as {
    services: Record<string, Service>;
    volumes: object;
  };
  /** Of the Compose Specification, as far as we use it. */
  const KEYS = new Set(
    (
      "image restart command user pid network_mode volumes read_only tmpfs healthcheck cap_drop cap_add security_opt " +
      "ports depends_on"
    ).split(" "),
  );

  test("starts our command line with flags that it knows, and nothing writable but what is mounted", () => {
    expect(Object.keys(file)).toEqual(["services", "volumes"]);
    for (const [name, service] of Object.entries(file.services)) {
      expect(Object.keys(service).filter((key) => !KEYS.has(key), name)).toEqual([]);
      expect(complaintAbout(service.command), name).toBeUndefined();
      expect(service["read_only"], name).toBe(true);
    }
  });

  test("has the API server find the plugin where it listens", () => {
    const [plugin, server] = ["plugin", "interlink"].map((name) => file.services[name]?.command);
    expect(plugin).toContain("--listen=unix:///run/interlink/plugin.sock");
    expect(server).toContain("--plugin=unix:///run/interlink/plugin.sock");
  });
});

describe("units of systemd", () => {
  const folder = fileURLToPath(new URL("deploy/systemd/", ROOT));
  const units = readdirSync(folder).filter((name) => name.endsWith(".service"));

  test.each(units)("%s starts our command line with flags that it knows", (unit) => {
    const [, words = ""] =
      /^ExecStart=\/usr\/bin\/env interlink (.*)$/m.exec(text(`deploy/systemd/${unit}`)) ?? [];
    const given = words.replace(" $INTERLINK_OPTIONS", "").replaceAll("%i", "docker").split(" ");
    expect(complaintAbout(given)).toBeUndefined();
  });

  const hasVerify = spawnSync("systemd-analyze", ["--version"]).error === undefined;
  test.runIf(hasVerify)("are what systemd understands", () => {
    const files = units.map((unit) => `${folder}${unit}`);
    const { stderr } = spawnSync("systemd-analyze", ["verify", "--man=no", ...files], {
      encoding: "utf8",
    });
    const about = stderr.split("\n").filter((line) => line.includes("interlink"));
    expect(about).toEqual([]);
  });
});

test("the flags of the manifests are flags of our command line", () => {
  const deployment = text("deploy/node/deployment.yaml");
  const kustomized = text("kustomizations/node.yaml");
  for (const manifest of [deployment, kustomized]) {
    const [, list = ""] = /^ {10}args:\n((?: {12}- .*\n)+)/m.exec(manifest) ?? [];
    const words = list
      .trim()
      .split("\n")
      .map((line) => line.trim().replace(/^- /, ""));
    expect(words[0]).toBe("node");
    expect(complaintAbout(words)).toBeUndefined();
  }
});
