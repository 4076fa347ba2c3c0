import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Deployment } from "kubernetes-types/apps/v1.js";
import type { ConfigMap, Container, Node, Pod } from "kubernetes-types/core/v1.js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse, parseAllDocuments, stringify } from "yaml";
import {
  existingValues,
  type Rendered,
  renderChart,
  type Values,
  whyNoChart,
} from "./chart/render-chart.ts";
import { Kubectl } from "./harness/kubectl.ts";
import { podManifest } from "./harness/manifest.ts";
import { interlinkMain, Program } from "./harness/program.ts";
import type { TestCluster } from "./harness/test-cluster.ts";
import { deployed, type Role, rightsOf } from "./identity/cluster-rules.ts";
import { describeKubernetes } from "./systems/describe-system.ts";
import { freePorts } from "./systems/free-ports.ts";
import { waitUntil } from "./systems/wait-until.ts";

interface Manifest {
  kind: string;
  metadata: { name: string; namespace?: string };
}

/** All objects but what is for people. */
function objectsOf(rendered: Rendered): Manifest[] {
  return Object.entries(rendered).flatMap(([file, text]) =>
    file.endsWith(".yaml")
      ? parseAllDocuments(text).flatMap((document) => {
          expect(document.errors, `${file}:\n${text}`).toEqual([]);
          const object = document.toJS() as Manifest | null;
          return object === null ? [] : [object];
        })
      : [],
  );
}

function one(objects: readonly Manifest[], kind: string, name?: string): unknown {
  const found = objects.filter(
    (object) => object.kind === kind && (name === undefined || object.metadata.name === name),
  );
  expect(found, `${kind} ${name}`).toHaveLength(1);
  return found[0];
}

const containersOf = (objects: readonly Manifest[]): Container[] =>
  (one(objects, "Deployment") as Deployment).spec?.template.spec?.containers ?? [];

const EXISTING_VALUES = existingValues();

/** Everything of ours in the node's pod. */
const IN_CLUSTER: Values = {
  nodeName: "hpc",
  interlink: { enabled: true, socket: "unix:///run/interlink/api.sock" },
  plugin: { enabled: true, socket: "unix:///run/plugin/plugin.sock", config: "# none\n" },
  virtualNode: { tokenSecret: "site", disableCSR: false },
};

const suite = whyNoChart === undefined ? describe : describe.skip;

suite(`the Helm chart${whyNoChart === undefined ? "" : ` [skipped: ${whyNoChart}]`}`, () => {
  test("gives a node by itself the rights of deploy/node, and nothing else", async () => {
    const objects = objectsOf(await renderChart({ nodeName: "my-site" }));
    const rights = (all: readonly Manifest[]) =>
      rightsOf(all.filter(({ kind }) => /^(Cluster)?Role$/.test(kind)) as unknown as Role[]).map(
        (right) => JSON.stringify(right),
      );
    const plain = parseAllDocuments(await deployed("node/rbac.yaml", "my-site")).map(
      (document) => document.toJS() as Manifest,
    );
    const withoutCsr = rights(plain).filter((one) => !one.includes("certificatesigningrequests"));
    expect(rights(objects).toSorted()).toEqual(withoutCsr.toSorted());
    const asking = objectsOf(
      await renderChart({ nodeName: "my-site", virtualNode: { disableCSR: false } }),
    );
    expect(rights(asking).toSorted()).toEqual(rights(plain).toSorted());
    const kinds = objects.map(({ kind }) => kind);
    expect(kinds.filter((kind) => !/Role/.test(kind)).toSorted()).toEqual([
      "ConfigMap",
      "Deployment",
      "ServiceAccount",
    ]);
  });

  test.each<[string, Values]>([
    ["by itself", {}],
    ["with all of ours", IN_CLUSTER],
    ["with the existing chart's values", EXISTING_VALUES],
  ])("runs containers %s with as few rights as they need", async (_, values) => {
    const objects = objectsOf(await renderChart(values));
    const { spec } = (one(objects, "Deployment") as Deployment).spec?.template ?? {};
    expect(spec).toMatchObject({
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
    });
    const known = new Set((spec?.volumes ?? []).map(({ name }) => name));
    for (const container of spec?.containers ?? []) {
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      });
      expect(container.resources).toMatchObject({
        requests: { cpu: expect.any(String) as string, memory: expect.any(String) as string },
        limits: { memory: expect.any(String) as string },
      });
      const mounts = container.volumeMounts ?? [];
      for (const { name } of mounts) expect(known).toContain(name);
      expect(new Set(mounts.map(({ mountPath }) => mountPath)).size).toBe(mounts.length);
      // Only the node is known to the cluster.
      expect(mounts.some(({ name }) => name === "cluster")).toBe(container.name === "vk");
    }
    const vk = containersOf(objects).find(({ name }) => name === "vk");
    expect(vk).toMatchObject({ readinessProbe: {}, livenessProbe: {}, startupProbe: {} });
  });

  test("keeps secrets out of everything but Secrets", async () => {
    const rendered = await renderChart(EXISTING_VALUES);
    const others = objectsOf(rendered).filter(({ kind }) => kind !== "Secret");
    expect(JSON.stringify(others)).not.toMatch(/a-client-secret|a-refresh-token/);
    expect(one(objectsOf(rendered), "Secret")).toMatchObject({
      stringData: { "client-secret": "a-client-secret", "refresh-token": "a-refresh-token" },
    });
    expect(rendered["NOTES.txt"]).not.toMatch(/a-client-secret/);
  });

  test.each<[Values, RegExp]>([
    [{ interlink: { address: "" } }, /interlink\.address: give the address/],
    [{ interlink: { socket: "/run/x" } }, /interlink\.socket: give unix:/],
    [{ sshBastion: { enabled: true } }, /sshBastion is not part of this chart/],
    [{ OAUTH: { enabled: true } }, /OAUTH\.TokenURL: give/],
  ])("refuses %j", async (values, words) => {
    await expect(renderChart(values)).rejects.toThrow(words);
  });

  test.each<[string, Values, string[]]>([
    // That of the node by itself is used below.
    ["with all of ours", IN_CLUSTER, ["node", "server"]],
    ["with the existing chart's values", EXISTING_VALUES, ["node", "server"]],
  ])("writes configurations %s that the parts can use", async (_, values, roles) => {
    const objects = objectsOf(await renderChart(values));
    const directory = await mkdtemp(join(tmpdir(), "interlink-chart-"));
    try {
      const maps = objects.filter(({ kind }) => kind === "ConfigMap") as unknown as ConfigMap[];
      const texts = maps.flatMap(({ data }) => data?.["InterLinkConfig.yaml"] ?? []);
      expect(texts).toHaveLength(roles.length);
      for (const [index, role] of roles.entries()) {
        const file = join(directory, `${role}.yaml`);
        await writeFile(file, texts[index] ?? "");
        await using check = new Program(["config", "check", "--for", role, file]);
        expect(await check.ended, check.stderr).toMatchObject({ code: 0 });
      }
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});

const REMOTE = fileURLToPath(new URL("./chart/interlink-command.sh", import.meta.url));

describeKubernetes("an installation by interlink install", (target) => {
  let directory: string;
  let cluster: TestCluster;
  let kubectl: Kubectl;
  let out: string;

  const script = async (action: string): Promise<string> => {
    const child = spawn(join(out, "site/interlink-remote.sh"), [action], {
      env: { ...process.env, INTERLINK: REMOTE, INTERLINK_MAIN: interlinkMain },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let said = "";
    child.stdout.on("data", (text: Buffer) => (said += text.toString()));
    child.stderr.on("data", (text: Buffer) => (said += text.toString()));
    const [code] = (await once(child, "exit")) as [number];
    return `${code}: ${said}`;
  };
  const interlink = async (...args: string[]): Promise<string> => {
    await using program = new Program(args);
    const { code } = await program.ended;
    return `${code}: ${program.stdout}${program.stderr}`;
  };

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "interlink-installed-"));
    out = join(directory, "out");
    cluster = await target.start(join(directory, "cluster"));
    kubectl = new Kubectl(cluster.kubeconfigFile);
    await kubectl.run(["create", "namespace", "interlink"]);
  });
  afterAll(async () => {
    if (out !== undefined) await script("stop").catch(() => undefined);
    await cluster?.close();
    await rm(directory, { recursive: true, force: true });
  });

  test("writes a site that its own script starts, and that answers the node", async () => {
    const [port = 0] = await freePorts(1);
    const config = join(directory, "install.yaml");
    await writeFile(
      config,
      stringify({
        interlink_ip: "127.0.0.1",
        interlink_port: port,
        plugin: "process",
        kubelet_node_name: "installed",
      }),
    );
    const install = await interlink("install", "--config", config, "--out", out);
    expect(install).toMatch(/^0: /);
    expect(await script("install")).toMatch(/^0: .*All is there/s);
    expect(await script("start")).toMatch(/^0: plugin starts.*server starts/s);
    const check = () => interlink("install", "--check", "--out", out);
    await waitUntil("the site answers", async () => (await check()).startsWith("0: "));
    expect(await script("start")).toMatch(/^0: plugin runs already.*server runs already/s);
    expect(await script("status")).toMatch(/^0: server runs/);
  });

  test.each<[string, Values]>([
    ["all of ours", IN_CLUSTER],
    ["the existing chart's values", EXISTING_VALUES],
  ])("the chart with %s can be applied", async (_, values) => {
    if (whyNoChart !== undefined) return;
    const input = JSON.stringify({
      apiVersion: "v1",
      kind: "List",
      items: objectsOf(await renderChart(values)),
    });
    const said = await kubectl.run(["apply", "--dry-run=server", "-f", "-"], { input });
    expect(said).toMatch(/deployment\.apps\/.* created \(server dry run\)/);
  });

  test("kustomizations/ can be applied to a namespace vk", async () => {
    await kubectl.run(["create", "namespace", "vk"]);
    const folder = fileURLToPath(new URL("../../kustomizations", import.meta.url));
    const said = await kubectl.run(["apply", "-n", "vk", "-k", folder, "--dry-run=server"]);
    expect(said).toMatch(/deployment\.apps\/virtual-kubelet created/);
  });

  test("the chart with the values that were written makes a node that runs pods at the site", async () => {
    if (whyNoChart !== undefined) return;
    const values = parse(await readFile(join(out, "values.yaml"), "utf8")) as Values;
    const objects = objectsOf(await renderChart(values));
    await kubectl.run(["apply", "-f", join(out, "secret.yaml")]);
    const input = JSON.stringify({ apiVersion: "v1", kind: "List", items: objects });
    await kubectl.run(["apply", "-f", "-"], { input });

    // What the Deployment's pod would do, with its rights and its configuration.
    const kubeconfig = join(directory, "node.kubeconfig");
    const account = { serviceAccount: "installed", namespace: "interlink" };
    await writeFile(kubeconfig, await cluster.credentialsFor(account), { mode: 0o600 });
    const map = one(objects, "ConfigMap", "installed-virtual-kubelet-config") as ConfigMap;
    const config = join(directory, "InterLinkConfig.yaml");
    await writeFile(config, map.data?.["InterLinkConfig.yaml"] ?? "");
    const given = ["--token-file", join(out, "token"), "--site-ca", join(out, "ca.crt")];
    const who = ["--config", config, "--name", "installed", "--kubeconfig", kubeconfig];
    const own = ["--kubelet-port", "0", "--certificate-dir", join(directory, "certificates")];
    await using _node = await new Program(["node", ...who, ...given, ...own]).ready();
    await waitUntil("the node is ready", async () => {
      const node = await kubectl.json<Node>(["get", "node", "installed"]);
      return node.status?.conditions?.some(
        ({ type, status }) => type === "Ready" && status === "True",
      );
    });
    const pod = podManifest("hello", {
      command: "echo hello from the site",
      spec: { nodeName: "installed" },
    });
    await kubectl.run(["apply", "-f", "-"], { input: pod });
    await waitUntil("the pod has run", async () => {
      const { status } = await kubectl.json<Pod>(["get", "pod", "hello"]);
      return status?.phase === "Succeeded";
    });
    const asked = ["--config", config, "--name", "installed", ...given];
    const doctor = await interlink("doctor", ...asked, "--kubeconfig", cluster.kubeconfigFile);
    expect(doctor).toMatch(/ok {7}node: installed is ready and reaches its site/);
    expect(doctor).toMatch(/^0: /);
    const status = await interlink("status", ...asked, "--kubeconfig", cluster.kubeconfigFile);
    expect(status).toMatch(/^0: cluster .*node installed\n.*pods +Succeeded 1.*API server https/s);
  });

  test("the script stops what it started, and doctor says so", async () => {
    expect(await script("stop")).toMatch(/^0: server has stopped.*plugin has stopped/s);
    expect(await script("status")).toMatch(/^1: server does not run/);
    expect(await script("stop")).toMatch(/^0: server does not run/);
    const check = await interlink("install", "--check", "--out", out);
    expect(check).toMatch(/^1: .*nothing listens at .*the API server is down/s);
  });
});
