import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CertificateAuthority } from "@interlink/cluster";
import { afterAll, beforeAll, expect, test } from "vitest";
import { podManifest } from "./harness/manifest.ts";
import { PARTS, type Part, System } from "./harness/system.ts";
import { describeKubectl } from "./systems/describe-system.ts";
import { freePorts } from "./systems/free-ports.ts";
import { waitUntil } from "./systems/wait-until.ts";

/** What is secret in this run, by what it is. Nothing of it may be in what anybody prints or answers. */
const secrets = new Map<string, string>();

function secret(what: string): string {
  const value = `s3cret-${randomBytes(18).toString("hex")}`;
  secrets.set(what, value);
  return value;
}

/** Where it stands in a text, in any of the forms in which it travels. */
function formsOf(value: string): string[] {
  const base64 = Buffer.from(value).toString("base64").replace(/=+$/, "");
  // Within other text, whose bytes before it shift it: what is the same in all three.
  const shifted = [1, 2].map((bytes) =>
    Buffer.from("x".repeat(bytes) + value)
      .toString("base64")
      .replace(/=+$/, "")
      .slice(4, -4),
  );
  return [value, base64.slice(0, -2), ...shifted, encodeURIComponent(value)];
}

/** Lines that hold the UID of just one of these pods and do not say which pod they are about; nor calls that say no request. */
function linesWithoutTheirPod(
  lines: readonly string[],
  names: ReadonlyMap<string, string>,
): string[] {
  return lines.filter((text) => {
    const line = JSON.parse(text) as Record<"uid" | "pod" | "requestId" | "path", unknown>;
    const isOpenCall = "path" in line && !("requestId" in line) && "status" in line;
    const about = [...names].filter(([uid]) => text.includes(uid));
    const [[uid, name] = []] = about;
    const isUnsaid = line.uid !== uid || line.pod !== `default/${name}`;
    return isOpenCall || (about.length === 1 && isUnsaid);
  });
}

describeKubectl("a whole run with every credential there is, at log level debug", () => {
  let directory: string;
  let system: System;
  let site: { host: string; port: number; ca: string };
  /** What callers from outside were answered. */
  const answers: string[] = [];

  const file = async (name: string, text: string): Promise<string> => {
    const path = join(directory, name);
    await writeFile(path, text, { mode: 0o600 });
    return path;
  };
  const key = (what: string, pem: string): string => {
    const [, , line = ""] = pem.split("\n");
    secrets.set(what, line);
    return pem;
  };

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "interlink-secrets-"));
    const now = Date.now();
    const authority = await CertificateAuthority.create("site-ca", now);
    const own = await authority.issue({ commonName: "site", hosts: ["127.0.0.1"] }, now);
    const caller = await authority.issue({ commonName: "node" }, now);
    const ca = await file("ca.pem", authority.certificatePem);
    const cert = await file("cert.pem", own.certificatePem);
    const ownKey = await file("key.pem", key("the server's key", own.keyPem));
    const nodeToken = secret("the node's token");
    const pluginToken = secret("the API server's token for the plugin");
    const [port = 0, pluginPort = 0] = await freePorts(2);
    site = { host: "127.0.0.1", port, ca: authority.certificatePem };
    const serverConfig = await file(
      "server.yaml",
      `TokenFile: ${await file("tokens", `${nodeToken} the node\n`)}
SidecarTokenFile: ${await file("plugin-token", `${pluginToken}\n`)}
SidecarTLS: { CACertFile: ${ca} }
TLS: { Enabled: true, CertFile: ${cert}, KeyFile: ${ownKey} }
`,
    );
    const nodeConfig = await file(
      "node.yaml",
      `VKTokenFile: ${await file("token", `${nodeToken}\n`)}
TLS:
  Enabled: true
  CACertFile: ${ca}
  CertFile: ${await file("node.pem", caller.certificatePem)}
  KeyFile: ${await file("node-key.pem", key("the node's key", caller.keyPem))}
`,
    );
    const debug = ["--log-level", "debug"];
    const address = `https://127.0.0.1:${pluginPort}`;
    const tokens = await file("plugin-tokens", `${pluginToken}\n`);
    system = await System.start({
      plugin: { name: "process" },
      flags: {
        plugin: [...debug, "--listen", `127.0.0.1:${pluginPort}`, "--token-file", tokens].concat([
          "--tls-cert",
          cert,
          "--tls-key",
          ownKey,
        ]),
        server: [...debug, "--config", serverConfig, "--listen", `127.0.0.1:${port}`].concat([
          "--plugin",
          address,
        ]),
        node: [...debug, "--config", nodeConfig, "--site", `https://127.0.0.1:${port}`],
      },
    });
    const kubeconfig = await readFile(system.cluster.kubeconfigFile, "utf8");
    for (const [, data = ""] of kubeconfig.matchAll(/client-key-data"?: "?([^"\s]+)/g)) {
      key("the kubeconfig's key", Buffer.from(data, "base64").toString());
    }
  });
  afterAll(async () => {
    await system?.[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  const apply = (object: object) =>
    system.kubectl.run(["apply", "-f", "-"], { input: JSON.stringify(object) });

  /** One call from outside, and the status of its answer; what comes back is kept. */
  function call(
    method: string,
    path: string,
    body: string,
    authorization?: string,
  ): Promise<number> {
    return new Promise((resolve, reject) => {
      const headers = authorization === undefined ? {} : { authorization };
      const outgoing = request(
        { ...site, method, path, headers, agent: false, servername: "" },
        (incoming) => {
          let text = JSON.stringify(incoming.headers);
          incoming.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
          incoming.on("end", () => {
            answers.push(text);
            resolve(incoming.statusCode ?? 0);
          });
        },
      );
      outgoing.on("error", reject);
      outgoing.end(body);
    });
  }

  test("prints none of them, nor anything made of them, whatever goes well or wrong", async () => {
    const metadata = (name: string) => ({ name, namespace: "default" });
    const password = secret("a value of a Secret");
    const registry = secret("a registry's password");
    const auths = {
      "registry.example.org": { auth: Buffer.from(`u:${registry}`).toString("base64") },
    };
    await apply({
      apiVersion: "v1",
      kind: "Secret",
      metadata: metadata("database"),
      stringData: { password, file: `user=${secret("a file of a Secret")}` },
    });
    await apply({
      apiVersion: "v1",
      kind: "Secret",
      metadata: metadata("registry"),
      type: "kubernetes.io/dockerconfigjson",
      stringData: { ".dockerconfigjson": JSON.stringify({ auths }) },
    });
    const container = {
      env: [
        { name: "PASSWORD", valueFrom: { secretKeyRef: { name: "database", key: "password" } } },
        { name: "PLAIN", value: secret("a variable of a pod") },
      ],
      envFrom: [{ secretRef: { name: "database" }, prefix: "ALL_" }],
      volumeMounts: [
        { name: "database", mountPath: "/secrets" },
        { name: "identity", mountPath: "/var/run/identity" },
      ],
    };
    const audience = {
      serviceAccountToken: { path: "token", audience: "a", expirationSeconds: 600 },
    };
    const spec = {
      imagePullSecrets: [{ name: "registry" }],
      volumes: [
        { name: "database", secret: { secretName: "database" } },
        { name: "identity", projected: { sources: [audience] } },
      ],
    };
    const pod = (name: string, command: string, more: object = {}) =>
      system.kubectl.run(["apply", "-f", "-"], {
        input: podManifest(name, { command, container: { ...container, ...more }, spec }),
      });
    await pod("well", "test $PASSWORD = $ALL_password");
    await pod("fails", "exit 3");
    await pod("missing", "exit 0", { command: ["/no/such/program"] });
    await pod("probed", "sleep 1000", {
      startupProbe: {
        exec: { command: ["sh", "-c", "exit 1"] },
        periodSeconds: 1,
        failureThreshold: 1,
      },
    });
    await Promise.all([
      system.podInPhase("well", "Succeeded"),
      system.podInPhase("fails", "Failed"),
      system.podInPhase("missing", ["Failed", "Pending"]),
    ]);
    await system.kubectl.try(["logs", "well"]);
    const uid = (await system.pod("well"))?.metadata?.uid ?? "";
    secrets.set("a pod's token", await tokenOf(join(system.directory, "jobs"), uid));

    // Refused for who calls, and for what is said; by words that hold what must not be told.
    const wrong = `Bearer ${secret("a token that is not known")}`;
    const known = `Bearer ${secrets.get("the node's token")}`;
    const claims = { iss: "x", sub: secret("a claim of a token") };
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const unsigned = `Bearer ${part({ alg: "none" })}.${part(claims)}.`;
    const hidden = secret("what is in a body");
    const secretKind = { apiVersion: "v1", kind: "Secret", data: { a: hidden } };
    const bodies = [
      `{"pod": ${hidden}`,
      `${hidden}!`,
      JSON.stringify({ pod: hidden }),
      JSON.stringify({
        pod: { metadata: { name: "a", namespace: "b", uid: "c" } },
        container: hidden,
      }),
      JSON.stringify({ pod: { metadata: { name: "a" } }, container: [{ secrets: [secretKind] }] }),
      JSON.stringify([{ metadata: { name: hidden } }]),
    ];
    for (const path of ["/create", "/update", "/delete", "/status", "/getLogs", "/updateCache"]) {
      for (const body of bodies) expect(await call("POST", path, body, known)).toBeGreaterThan(399);
      for (const header of [wrong, unsigned, undefined]) {
        expect(await call("POST", path, bodies[0] ?? "", header)).toBe(401);
      }
    }
    await call("GET", `/exec?command=${hidden}&namespace=${hidden}`, "", known);

    // A plugin that is away and comes back makes everyone tell of it.
    const before = printed("plugin");
    await system.kill9("plugin");
    await system.part("node").output(/does not tell how the pods are/);
    await call("POST", "/pinglink", "", known);
    await system.launch("plugin");

    const told = new Map<string, string>(PARTS.map((name) => [name, printed(name)]));
    told.set("the plugin's life before", before);
    for (const kind of ["events", "nodes", "leases.coordination.k8s.io"]) {
      const { stdout } = await system.kubectl.try(["get", kind, "-A", "-o", "json"]);
      told.set(kind, stdout);
    }
    const pods = await system.kubectl.json<{ items: { status?: object }[] }>(["get", "pods"]);
    told.set("the status of pods", JSON.stringify(pods.items.map(({ status }) => status)));
    told.set("answers to callers from outside", answers.join("\n"));

    // Not for want of something to be found: each of them spoke, the programs at debug level too.
    for (const [who, text] of told) expect(text.length, who).toBeGreaterThan(20);
    for (const name of ["node", "server", "the plugin's life before"])
      expect(told.get(name), name).toContain('"level":20');
    expect(secrets.size).toBeGreaterThanOrEqual(12);
    const found = [...told].flatMap(([who, text]) =>
      [...secrets]
        .filter(([, value]) => formsOf(value).some((form) => text.includes(form)))
        .map(([what]) => `${who}: ${what}`),
    );
    expect(found).toEqual([]);

    const names = new Map<string, string>();
    for (const name of ["well", "fails", "missing", "probed"])
      names.set((await system.pod(name))?.metadata?.uid ?? "", name);
    for (const who of ["node", "server", "plugin", "the plugin's life before"]) {
      const lines = (told.get(who) ?? "").split("\n").filter((line) => line.startsWith("{"));
      expect(linesWithoutTheirPod(lines, names), who).toEqual([]);
      // Whoever saw the pods' whole lives has told of each.
      const isNew = who === "plugin";
      for (const uid of isNew ? [] : names.keys())
        expect(lines.filter((line) => line.includes(uid)).length, who).toBeGreaterThan(1);
    }
  }, 180_000);

  /** Everything that a part printed in this life. */
  function printed(name: Part): string {
    const { stdout, stderr } = system.part(name);
    return stdout + stderr;
  }

  /** The token that the pod was given, from the plugin's files. */
  function tokenOf(root: string, uid: string): Promise<string> {
    return waitUntil("the pod's token is in the plugin's files", async () => {
      const names = await readdir(root, { recursive: true });
      const [name] = names.filter((one) => one.includes(uid) && one.endsWith("/token"));
      return name === undefined ? undefined : await readFile(join(root, name), "utf8");
    });
  }
});
