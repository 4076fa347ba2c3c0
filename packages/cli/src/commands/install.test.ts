import { spawnSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { runCommand } from "../testing/run-command.ts";

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "interlink-install-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const has = (program: string) => spawnSync(program, ["--version"]).error === undefined;

/** Writes an installation from these lines of configuration. */
async function installed(name: string, config: string): Promise<{ out: string; stdout: string }> {
  const file = join(directory, `${name}.yaml`);
  await writeFile(file, config);
  const out = join(directory, name);
  const { stdout } = await runCommand(["install", "--config", file, "--out", out]);
  return { out, stdout };
}

async function yamlOf(out: string, file: string) {
  return parse(await readFile(join(out, file), "utf8")) as Record<string, never>;
}

async function modes(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
  return Object.fromEntries(
    await Promise.all(
      files.map(async (file) => [
        file.slice(folder.length + 1),
        ((await stat(file)).mode & 0o777).toString(8),
      ]),
    ),
  );
}

describe("interlink install", () => {
  test("writes what cluster and site need, secrets for their owner only", async () => {
    const { out, stdout } = await installed("plain", "interlink_ip: site.example.org\n");
    expect(await modes(out)).toEqual({
      "values.yaml": "644",
      "secret.yaml": "600",
      "node.yaml": "644",
      token: "600",
      "ca.crt": "644",
      "site/InterLinkConfig.yaml": "600",
      "site/plugin.kind": "644",
      "site/plugin.yaml": "600",
      "site/tokens": "600",
      "site/tls.crt": "600",
      "site/tls.key": "600",
      "site/interlink-remote.sh": "700",
      "site/interlink-plugin.service": "644",
      "site/interlink-server.service": "644",
    });
    const token = (await readFile(join(out, "token"), "utf8")).trim();
    expect(token).toMatch(/^[\w-]{40,}$/);
    expect(await readFile(join(out, "site/tokens"), "utf8")).toBe(`${token} my-site\n`);
    expect(await yamlOf(out, "secret.yaml")).toMatchObject({ stringData: { token } });
    expect(stdout).not.toContain(token);
    expect(await readFile(join(out, "values.yaml"), "utf8")).not.toContain(token);
    expect(stdout).toContain("helm install my-site deploy/chart -n interlink");
  });

  test("makes a certificate for the site's name or address, by an authority of its own", async () => {
    const { out } = await installed("address", "interlink_ip: 192.0.2.7\n");
    const certificate = async (file: string) =>
      new X509Certificate(await readFile(join(out, file)));
    const [own, ca] = await Promise.all([certificate("site/tls.crt"), certificate("ca.crt")]);
    expect(own.checkIP("192.0.2.7")).toBe("192.0.2.7");
    expect(own.verify(ca.publicKey)).toBe(true);
  });

  test("writes files that the parts can use", async () => {
    const { out } = await installed(
      "used",
      "interlink_ip: 2001:db8::1\nplugin: slurm\nnode_limits:\n  memory: 1.5Ti\n",
    );
    const check = (role: string, file: string) =>
      runCommand(["config", "check", "--for", role, join(out, file)]);
    expect((await check("server", "site/InterLinkConfig.yaml")).stdout).toMatch(/can be used/);
    expect(await yamlOf(out, "site/InterLinkConfig.yaml")).toMatchObject({
      InterlinkAddress: "https://[::]",
    });
    expect((await check("node", "node.yaml")).stdout).toMatch(/can be used/);
    expect((await check("slurm", "site/plugin.yaml")).stdout).toMatch(/can be used/);
    expect(await yamlOf(out, "values.yaml")).toMatchObject({
      interlink: { address: "https://[2001:db8::1]", port: 3000 },
      virtualNode: { resources: { CPUs: "8", memGiB: "1.5Ti", pods: "100" } },
    });
  });

  test("lets an issuer make the tokens, and takes the existing installer's keys", async () => {
    const { out, stdout } = await installed(
      "issuer",
      `
interlink_ip: site.example.org
interlink_port: 8443
interlink_version: 0.4.1
kubelet_node_name: hpc
kubernetes_namespace: team
node_limits: { cpu: 10, memory: 256Gi, pods: 10 }
insecure_http: true
disable_projected_volumes: true
oauth:
  provider: oidc
  grant_type: authorization_code
  issuer: https://iam.example.org/
  refresh_token: not-for-values
  audience: users
  group: lab
  group_claim: groups
  scopes: [openid]
  token_url: https://iam.example.org/token
  device_code_url: https://iam.example.org/device
  client_id: an-id
  client_secret: neither-this
`,
    );
    expect(stdout).toMatch(/:4: interlink_version is ignored: the site runs/);
    expect(await yamlOf(out, "site/InterLinkConfig.yaml")).toMatchObject({
      InterlinkPort: "8443",
      AllowAnonymous: false,
      OIDC: {
        Issuer: "https://iam.example.org/",
        Audience: "users",
        RequiredClaims: { groups: ["lab"] },
      },
    });
    expect(await yamlOf(out, "secret.yaml")).toMatchObject({
      metadata: { name: "hpc-site", namespace: "team" },
      stringData: { "client-secret": "neither-this", "refresh-token": "not-for-values" },
    });
    const values = await readFile(join(out, "values.yaml"), "utf8");
    expect(values).not.toMatch(/not-for-values|neither-this/);
    expect(parse(values)).toMatchObject({ OAUTH: { enabled: true, secret: "hpc-site" } });
    expect(Object.keys(await modes(out))).not.toContain("token");
  });

  test.each<[string, RegExp]>([
    ["interlink_port: 1", /interlink_ip: it is missing/],
    ["interlink_ip: https://x", /give a host name or an IP address, without https/],
    ["interlink_ip: x\ninterlink_port: 70000", /:2: interlink_port: give a whole number from 1/],
    ["interlink_ip: x\nplugin: podman", /:2: plugin: give one of docker, slurm, process/],
    ["interlink_ip: x\nkubelet_node_name: A_b", /:2: kubelet_node_name: give text/],
    ["interlink_ip: x\nnode_limits: { cpu: many }", /node_limits\.cpu: give a Kubernetes quantity/],
    ["interlink_ip: x\ntls_cert: /c", /tls_cert and tls_key belong together/],
    ["interlink_ip: x\nca_cert: /c", /ca_cert needs tls_cert/],
    ["interlink_ip: x\noauth: { provider: github }", /oauth\.provider: give/],
    ["interlink_ip: x\ninterlnk_port: 1", /did you mean "interlink_port"/],
  ])("refuses %j, and writes nothing", async (config, words) => {
    await expect(installed("refused", config)).rejects.toThrow(words);
    await expect(stat(join(directory, "refused"))).rejects.toThrow(/ENOENT/);
  });

  test("touches nothing that is there, unless it is forced to", async () => {
    const { out } = await installed("twice", "interlink_ip: x\n");
    const token = await readFile(join(out, "token"), "utf8");
    await expect(installed("twice", "interlink_ip: x\n")).rejects.toThrow(
      /values\.yaml, .* there already.*--force/,
    );
    expect(await readFile(join(out, "token"), "utf8")).toBe(token);
    const argv = ["install", "--config", join(directory, "twice.yaml"), "--output-dir", out];
    await runCommand([...argv, "--force"]);
    expect(await readFile(join(out, "token"), "utf8")).not.toBe(token);
    expect((await modes(out))["token"]).toBe("600");
  });

  test("asks for what no file says", async () => {
    const out = join(directory, "asked");
    const stdin = "site.example.org\n8443\nslurm\nhpc\n\n\n64Gi\n\n";
    const { stdout } = await runCommand(["install", "--out", out], { stdin });
    expect(stdout).toMatch(/^Name or address at which the cluster reaches the site: Port of/);
    expect(await yamlOf(out, "values.yaml")).toMatchObject({
      nodeName: "hpc",
      interlink: { port: 8443 },
      virtualNode: { resources: { CPUs: "8", memGiB: "64Gi" } },
    });
    await expect(runCommand(["install", "--out", out], { stdin: "x\n" })).rejects.toThrow(
      /answers ended too soon/,
    );
  });

  test("writes a configuration to fill in, which it takes", async () => {
    const file = join(directory, "sample.yaml");
    await runCommand(["install", "--init", file]);
    await expect(runCommand(["install", "--init", file])).rejects.toThrow(/there already/);
    await runCommand(["install", "--config", file, "--out", join(directory, "sampled")]);
    const text = (await readFile(file, "utf8")).replaceAll(/^# (?=( {2})?\w+:)/gm, "");
    const filled = text.replace('refresh_token: ""', "refresh_token: x");
    await writeFile(join(directory, "ca.crt"), "PEM");
    await writeFile(file, filled.replace("ca_cert: ca.crt", `ca_cert: ${directory}/ca.crt`));
    const out = join(directory, "all");
    await runCommand(["install", "--config", file, "--out", out]);
    expect(await yamlOf(out, "secret.yaml")).toMatchObject({ stringData: { "ca.crt": "PEM" } });
  });

  test("looks whether the site that was made so answers", async () => {
    const file = join(directory, "checked.yaml");
    const out = join(directory, "checked");
    const check = ["install", "--check", "--out", out];
    await expect(runCommand(check)).rejects.toThrow(/node\.yaml is not there/);
    const server = createServer((request, response) => {
      const isKnown = request.headers.authorization === `Bearer ${token}`;
      response.writeHead(isKnown ? 200 : 401);
      response.end(request.url === "/capabilities" ? AGENT : "{}");
    });
    const AGENT = JSON.stringify({
      protocol: "interlink",
      version: "1.0",
      agent: "s",
      features: [],
    });
    server.listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as AddressInfo;
    await writeFile(file, `interlink_ip: 127.0.0.1\ninterlink_port: ${port}\n`);
    await runCommand(["install", "--config", file, "--out", out]);
    let token = "another";
    server.setSecureContext({
      cert: await readFile(join(out, "site/tls.crt")),
      key: await readFile(join(out, "site/tls.key")),
    });
    try {
      expect(await runCommand(check)).toMatchObject({
        code: 1,
        stdout: expect.stringMatching(/refuses the token/) as string,
      });
      token = (await readFile(join(out, "token"), "utf8")).trim();
      expect(await runCommand(check)).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/All is well\.\n$/) as string,
      });
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  test.runIf(has("shellcheck"))("writes a script that shellcheck finds nothing in", async () => {
    const { out } = await installed("linted", "interlink_ip: x\n");
    const script = join(out, "site/interlink-remote.sh");
    const { stdout, status } = spawnSync("shellcheck", [script], { encoding: "utf8" });
    expect(stdout).toBe("");
    expect(status).toBe(0);
    const help = spawnSync(script, ["help"], { encoding: "utf8" });
    expect(help.stdout).toMatch(/^interlink-remote\.sh install/);
    expect(spawnSync(script, ["nonsense"]).status).toBe(2);
  });
});
