import { once } from "node:events";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CertificateAuthority, type Cluster, startCluster } from "@interlink/cluster";
import { createKubeClient, loadKubeCredentials, paths } from "@interlink/kube";
import { startServer } from "@interlink/server";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCommand } from "../testing/run-command.ts";

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "interlink-doctor-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const logger = pino({ level: "silent" });

/** A peer that answers everything in one way, until it is disposed. */
async function answering(
  listener: RequestListener,
  tls?: { cert: string; key: string },
): Promise<AsyncDisposable & { port: number }> {
  const server: Server =
    tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

const PLUGIN: RequestListener = (request, response) => {
  const agent = { protocol: "interlink", version: "1.0", agent: "plugin-fake 1", features: [] };
  const resources = { resources: { cpu: "64", memory: "128Gi", pods: "100" } };
  const body = request.url === "/capabilities" ? agent : request.url === "/status" ? resources : {};
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(body));
};

/** The sentences that are no good news. */
async function complaints(argv: readonly string[], env = {}): Promise<string[]> {
  const { stdout, code } = await runCommand(["doctor", "-o", "json", ...argv], { env });
  const { findings } = JSON.parse(stdout) as { findings: { level: string; what: string }[] };
  const told = findings.filter(({ level }) => level !== "ok");
  expect(code).toBe(told.some(({ level }) => level === "problem") ? 1 : 0);
  return told.map(({ what }) => what);
}

const site = (url: string): string[] => ["--no-cluster", "--site", url];

describe("interlink doctor", () => {
  test("finds nothing wrong with an API server and its plugin, of which status tells version and capacity", async () => {
    await using plugin = await answering(PLUGIN);
    const socket = join(directory, "site.sock");
    await using _server = await startServer({
      listen: { unixSocket: socket },
      plugin: { address: `http://127.0.0.1:${plugin.port}` },
      logger,
    });
    const argv = [...site(`unix://${socket}`), "--plugin", `http://127.0.0.1:${plugin.port}`];
    expect(await complaints(argv)).toEqual([]);
    const { stdout, code } = await runCommand(["status", ...argv]);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^API server unix:.*\n {2}state {5}reached\n {2}version .*plugin-fake 1/,
    );
    expect(stdout).toMatch(/capacity {2}cpu 64, memory 128Gi, pods 100/);
  });

  test("tells a plugin that is down, by its API server", async () => {
    const socket = join(directory, "lonely.sock");
    await using _server = await startServer({
      listen: { unixSocket: socket },
      plugin: { address: `unix://${directory}/nobody.sock` },
      logger,
    });
    expect(await complaints(site(`unix://${socket}`))).toEqual([
      expect.stringMatching(/^its plugin does not answer: .*nobody\.sock/),
    ]);
    expect((await runCommand(["status", ...site(`unix://${socket}`)])).code).toBe(1);
  });

  test("tells the plugin's port given for the API server's, and the other way round", async () => {
    await using plugin = await answering(PLUGIN);
    expect(await complaints(site(`http://127.0.0.1:${plugin.port}`))).toEqual([
      expect.stringMatching(/is a plugin \(plugin-fake 1\), not an API server/),
    ]);
  });

  test("tells a socket that is not there, and an address that is none", async () => {
    expect(await complaints(site(`unix://${directory}/none.sock`))).toEqual([
      expect.stringMatching(/there is no socket/),
    ]);
    expect(await complaints(site("ftp://x"))).toEqual([expect.stringMatching(/not one of http/)]);
  });

  test("tells a refused token, which it never shows", async () => {
    await using refusing = await answering((_, response) => {
      response.writeHead(401).end("go away");
    });
    const token = join(directory, "token");
    const claims = Buffer.from(JSON.stringify({ exp: 1, aud: "x", iss: "y" })).toString(
      "base64url",
    );
    const secret = `e30.${claims}.c2VjcmV0`;
    await writeFile(token, secret);
    await chmod(token, 0o644);
    const argv = [...site(`http://127.0.0.1:${refusing.port}`), "--token-file", token];
    expect(await complaints(argv)).toEqual([
      expect.stringMatching(/anyone on this machine can read .*token/),
      expect.stringMatching(/ended 1970-01-01/),
      expect.stringMatching(/refuses the token \(HTTP 401\): go away/),
    ]);
    const { stdout, stderr } = await runCommand(["status", ...argv]);
    expect(stdout + stderr).not.toContain(secret);
  });

  test("tells clocks that are apart", async () => {
    await using ahead = await answering((request, response) => {
      response.setHeader("date", new Date(Date.now() + 3_600_000).toUTCString());
      response.setHeader("x", request.url ?? "");
      response.writeHead(request.url === "/status" ? 200 : 404).end("[]");
    });
    const found = await complaints(["--no-cluster", "--plugin", `http://127.0.0.1:${ahead.port}`]);
    expect(found).toEqual([
      expect.stringMatching(/clock of the plugin is 3\d{3} s ahead of this machine's/),
    ]);
  });

  test("tells an unknown authority, a certificate of another name, and http for https", async () => {
    const authority = await CertificateAuthority.create("site-ca", Date.now());
    const shown = await authority.issue(
      { commonName: "elsewhere", hosts: ["elsewhere.example.org"] },
      Date.now(),
    );
    await using tls = await answering(PLUGIN, { cert: shown.certificatePem, key: shown.keyPem });
    const ca = join(directory, "ca.pem");
    await writeFile(ca, authority.certificatePem);
    const address = `https://127.0.0.1:${tls.port}`;
    expect(await complaints(site(address))).toEqual([
      expect.stringMatching(/authority that is not known here/),
    ]);
    expect(await complaints([...site(address), "--site-ca", ca])).toEqual([
      expect.stringMatching(/certificate at .* is for another name: .*elsewhere\.example\.org/),
    ]);
    expect(await complaints(site(`http://127.0.0.1:${tls.port}`))).toEqual([
      expect.stringMatching(/closed the connection|does not speak HTTP/),
    ]);
    await using plain = await answering(PLUGIN);
    expect(await complaints(site(`https://127.0.0.1:${plain.port}`))).toEqual([
      expect.stringMatching(/does not speak TLS/),
    ]);
  });

  test("tells a wrong configuration by file and line, and asks all the same", async () => {
    const file = join(directory, "vk.yaml");
    await writeFile(file, "InterlinkURL: http://127.0.0.1\nInterlinkPrt: 1\n");
    const found = await complaints(["--no-cluster", "--config", file, "--site", "unix:///no.sock"]);
    expect(found).toEqual([
      expect.stringMatching(/vk\.yaml:2: there is no key "InterlinkPrt" here; did you mean/),
      expect.stringMatching(/there is no socket/),
    ]);
  });

  test("tells partitions that Slurm has not", async () => {
    const sinfo = join(directory, "sinfo");
    await writeFile(sinfo, "#!/bin/sh\nprintf 'short* up\\nshort* up\\nlong up\\nold down\\n'\n", {
      mode: 0o755,
    });
    const file = join(directory, "SlurmConfig.yaml");
    await writeFile(file, `SinfoPath: ${sinfo}\nPartitions: [short, gpu]\n`);
    expect(await complaints(["--no-cluster", "--slurm", file])).toEqual([
      "there is no partition gpu, which Partitions names",
    ]);
    await writeFile(
      file,
      `SinfoPath: ${sinfo}
DefaultFlavor: a
Flavors:
  a: { SlurmFlags: ["-p gpu,old"] }
  b: { SlurmFlags: [--partition=long] }
`,
    );
    expect(await complaints(["--no-cluster", "--slurm", file])).toEqual([
      "there is no partition gpu, which Flavors.a.SlurmFlags names",
      "the partition old is down: jobs wait",
    ]);
    await writeFile(sinfo, "#!/bin/sh\nprintf 'long up\\n'\n", { mode: 0o755 });
    await writeFile(file, `SinfoPath: ${sinfo}\n`);
    expect(await complaints(["--no-cluster", "--slurm", file])).toEqual([
      "Slurm has no default partition, and pods that name none are given none",
    ]);
    await writeFile(file, `SinfoPath: ${directory}/none\n`);
    expect(await complaints(["--no-cluster", "--slurm", file])).toEqual([
      expect.stringMatching(/sinfo says nothing/),
    ]);
    await writeFile(file, "Partition: [short]\n");
    expect(await complaints(["--no-cluster", "--slurm", file])).toEqual([
      `${file}:1: there is no key "Partition" here; did you mean "Partitions"?`,
    ]);
    expect(await complaints(["--no-cluster", "--slurm", `${file}.not`])).toEqual([
      `--slurm: cannot read ${file}.not: there is no such file.`,
    ]);
  });

  test("that was told nothing to ask says so", async () => {
    await expect(runCommand(["doctor", "--no-cluster"])).rejects.toThrow(/What shall be asked/);
  });
});

describe("of a cluster", () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster();
    const kube = createKubeClient(
      await loadKubeCredentials({ kubeconfigFile: cluster.kubeconfigFile }),
    );
    const conditions = [
      { type: "Ready", status: "True" },
      { type: "InterlinkConnectivity", status: "False", message: "no ping" },
    ];
    await kube.create(paths.nodes.collection(), {
      apiVersion: "v1",
      kind: "Node",
      metadata: { name: "hpc" },
      status: { conditions, allocatable: { cpu: "8" } },
    });
    await kube.close();
  });
  afterAll(() => cluster.close());

  test("status and doctor tell the node, or that there is none", async () => {
    const argv = ["--kubeconfig", cluster.kubeconfigFile, "--name"];
    const { stdout } = await runCommand(["status", ...argv, "hpc"]);
    expect(stdout).toMatch(/^cluster https.*\n {2}Kubernetes {3}v/);
    expect(stdout).toMatch(/\nnode hpc\n/);
    expect(await complaints([...argv, "nobody"])).toContain("the cluster has no node nobody");
  });

  test("status without --site finds the node by its label and the API server by its annotation, without showing it a token", async () => {
    const seen: unknown[] = [];
    await using peer = await answering((request, response) => {
      seen.push(request.headers.authorization);
      PLUGIN(request, response);
    });
    const address = `http://127.0.0.1:${peer.port}`;
    const kube = createKubeClient(
      await loadKubeCredentials({ kubeconfigFile: cluster.kubeconfigFile }),
    );
    const token = join(directory, "token-of-another");
    await writeFile(token, "a-token-that-stays-here", { mode: 0o600 });
    const named = async (name: string) =>
      kube.create(paths.nodes.collection(), {
        apiVersion: "v1",
        kind: "Node",
        metadata: {
          name,
          labels: { "virtual-node.interlink/type": "virtual-kubelet" },
          annotations: {
            "interlink.virtual-kubelet.io/site": address,
            "interlink.virtual-kubelet.io/ping-response": '{"status":"ok"}',
          },
        },
        status: { conditions: [{ type: "Ready", status: "True" }] },
      });
    const status = async () => {
      const argv = ["--kubeconfig", cluster.kubeconfigFile, "--token-file", token];
      return runCommand(["status", ...argv]);
    };
    try {
      expect((await status()).stdout).toMatch(/no virtual node is known; give --name/);
      await named("one");
      const { stdout, code } = await status();
      expect(stdout).toMatch(/\nnode one\n/);
      expect(stdout).toMatch(/\n {2}last ping +\{"status":"ok"\}/);
      expect(stdout).toContain(`\nAPI server ${address}\n`);
      expect(code).toBe(0);
      expect(seen.length).toBeGreaterThan(0);
      expect(seen.every((header) => header === undefined)).toBe(true);
      await named("two");
      expect((await status()).stdout).toMatch(/there are several; give --name .*one, two/);
    } finally {
      await kube.close();
    }
  });

  test("doctor tells credentials that are none", async () => {
    const file = join(directory, "kubeconfig");
    await writeFile(file, "clusters: []\n", { mode: 0o600 });
    expect(await complaints(["--kubeconfig", file])).toContainEqual(
      expect.stringMatching(/cannot be asked/),
    );
  });
});
