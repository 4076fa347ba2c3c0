import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type CredentialWorld, loadKubeCredentials } from "./load-credentials.ts";

let folder: string;
let world: CredentialWorld;
let now: number;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "interlink-kube-"));
  now = 0;
  world = { env: {}, home: folder, serviceAccountDir: folder, now: () => now };
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

function kubeconfig(user: unknown, cluster: unknown = {}): string {
  return JSON.stringify({
    "current-context": "c",
    contexts: [
      { name: "c", context: { cluster: "k", user: "u", namespace: "team" } },
      { name: "d", context: { cluster: "other", user: "u" } },
    ],
    clusters: [
      { name: "k", cluster: { server: "https://example:6443/", ...(cluster as object) } },
      { name: "other", cluster: { server: "https://other" } },
    ],
    users: [{ name: "u", user }],
  });
}

const base64 = (text: string): string => Buffer.from(text).toString("base64");

describe("loadKubeCredentials", () => {
  it("reads certificates as data and as files beside the kubeconfig", async () => {
    await writeFile(join(folder, "key.pem"), "KEY");
    const file = join(folder, "config");
    const user = { "client-certificate-data": base64("CERT"), "client-key": "key.pem" };
    await writeFile(file, kubeconfig(user, { "certificate-authority-data": base64("CA") }));
    const credentials = await loadKubeCredentials({ kubeconfigFile: file }, world);
    expect(credentials).toMatchObject({ server: "https://example:6443", namespace: "team" });
    expect(await credentials.tls()).toEqual({ ca: "CA", cert: "CERT", key: "KEY" });
    expect(await credentials.authorization()).toBeUndefined();
    await writeFile(join(folder, "key.pem"), "ROTATED");
    expect((await credentials.tls()).key).toBe("ROTATED");
  });

  it("reads a kubeconfig that was written anew, and keeps to the old one while that is half written", async () => {
    const file = join(folder, "config");
    await writeFile(file, kubeconfig({ token: "first" }));
    const credentials = await loadKubeCredentials({ kubeconfigFile: file }, world);
    expect(await credentials.authorization()).toBe("Bearer first");
    await writeFile(file, kubeconfig({ token: "second" }).slice(0, 40));
    now += 60_000;
    expect(await credentials.authorization()).toBe("Bearer first");
    await writeFile(file, kubeconfig({ token: "second" }));
    expect(await credentials.authorization()).toBe("Bearer first");
    credentials.forget?.();
    expect(await credentials.authorization()).toBe("Bearer second");
  });

  it("takes the context it is told", async () => {
    const source = { kubeconfigYaml: kubeconfig({}), context: "d" };
    expect((await loadKubeCredentials(source, world)).server).toBe("https://other");
  });

  it.each([
    [{ token: "t" }, "Bearer t"],
    [{ username: "me", password: "pw" }, `Basic ${base64("me:pw")}`],
    [{}, undefined],
  ])("sends %j as %s", async (user, expected) => {
    const credentials = await loadKubeCredentials({ kubeconfigYaml: kubeconfig(user) }, world);
    expect(await credentials.authorization()).toBe(expected);
  });

  it("skips verification only when the kubeconfig says so", async () => {
    const strict = await loadKubeCredentials({ kubeconfigYaml: kubeconfig({}) }, world);
    expect(await strict.tls()).toEqual({});
    const loose = await loadKubeCredentials(
      {
        kubeconfigYaml: kubeconfig(
          {},
          { "insecure-skip-tls-verify": true, "tls-server-name": "x" },
        ),
      },
      world,
    );
    expect(await loose.tls()).toEqual({ rejectUnauthorized: false, servername: "x" });
  });

  it("reads a rotated token again after a minute", async () => {
    const token = join(folder, "token");
    await writeFile(token, "one\n");
    world.env = { KUBERNETES_SERVICE_HOST: "fd00::1", KUBERNETES_SERVICE_PORT: "443" };
    const credentials = await loadKubeCredentials("in-cluster", world);
    expect(credentials.server).toBe("https://[fd00::1]:443");
    expect(await credentials.authorization()).toBe("Bearer one");
    await writeFile(token, "two");
    expect(await credentials.authorization()).toBe("Bearer one");
    now = 60_000;
    expect(await credentials.authorization()).toBe("Bearer two");
  });

  it("finds the default: KUBECONFIG, then the home folder, then the pod", async () => {
    const file = join(folder, "mine");
    await writeFile(file, kubeconfig({}));
    world.env = { KUBECONFIG: file };
    expect((await loadKubeCredentials("default", world)).server).toBe("https://example:6443");
    world.env = { KUBERNETES_SERVICE_HOST: "10.0.0.1" };
    expect((await loadKubeCredentials("default", world)).server).toBe("https://10.0.0.1:443");
    world.env = {};
    await expect(loadKubeCredentials("default", world)).rejects.toThrow(/Set KUBECONFIG/);
  });

  it("asks an exec plugin through client-node", async () => {
    const answer = JSON.stringify({
      apiVersion: "client.authentication.k8s.io/v1",
      kind: "ExecCredential",
      status: { token: "from-plugin" },
    });
    const user = {
      exec: {
        apiVersion: "client.authentication.k8s.io/v1",
        command: process.execPath,
        args: ["-e", `process.stdout.write(${JSON.stringify(answer)})`],
        interactiveMode: "Never",
      },
    };
    const credentials = await loadKubeCredentials({ kubeconfigYaml: kubeconfig(user) }, world);
    expect(credentials.server).toBe("https://example:6443");
    expect(await credentials.authorization()).toBe("Bearer from-plugin");
  });

  it.each([
    ["- a list", /not a YAML mapping/],
    ["a: [secret-value", /not YAML; see line/],
    ["{}", /no current-context/],
    ["current-context: x", /no entry "x" under contexts/],
  ])("says what is wrong with %j, without quoting it", async (text, words) => {
    const load = loadKubeCredentials({ kubeconfigYaml: text }, world);
    await expect(load).rejects.toThrow(words);
    await expect(load).rejects.not.toThrow(/secret-value/);
    await expect(load).rejects.toMatchObject({ code: "credentials" });
  });

  it("names a file that is missing", async () => {
    const load = loadKubeCredentials({ kubeconfigFile: join(folder, "none") }, world);
    await expect(load).rejects.toThrow(/none: check that it exists/);
  });
});
