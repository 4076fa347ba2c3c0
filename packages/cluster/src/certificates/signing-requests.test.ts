// oxlint-disable-next-line import/no-unassigned-import -- a polyfill that x509 needs before it loads
import "reflect-metadata";
import { webcrypto, X509Certificate } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { JsonObject } from "../api/object.ts";
import { type Cluster, startCluster } from "../cluster.ts";
import { ApiClient } from "../testing/api-client.ts";

const collection = "/apis/certificates.k8s.io/v1/certificatesigningrequests";
const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const serving = "kubernetes.io/kubelet-serving";
const nodeClient = "kubernetes.io/kube-apiserver-client-kubelet";
const host: x509.JsonGeneralNames = [{ type: "ip", value: "10.0.0.1" }];

let cluster: Cluster;
let admin: ApiClient;
let node: ApiClient;

beforeAll(async () => {
  cluster = await startCluster();
  admin = new ApiClient(cluster.kubeconfigYaml);
  const subject = { user: "system:node:n", groups: ["system:nodes"] };
  node = new ApiClient(await cluster.credentialsFor(subject));
});
afterAll(() => cluster.close());

interface Csr extends JsonObject {
  metadata: { name: string };
  spec: { username: string; groups: string[] };
  status: { certificate?: string; conditions?: { type: string; reason: string }[] };
}

async function pkcs10(names: x509.JsonGeneralNames, organization: string): Promise<string> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const extensions = names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)];
  const name = [{ O: [organization] }, { CN: ["system:node:n"] }];
  const request = await x509.Pkcs10CertificateRequestGenerator.create(
    { name, keys, signingAlgorithm: algorithm, extensions },
    webcrypto,
  );
  return Buffer.from(request.toString("pem")).toString("base64");
}

async function ask(
  client: ApiClient,
  signerName: string,
  usages: string[],
  names: x509.JsonGeneralNames = host,
  organization = "system:nodes",
): Promise<Csr> {
  const { code, body } = await client.post(collection, {
    metadata: { generateName: "csr-" },
    spec: { request: await pkcs10(names, organization), signerName, usages, username: "liar" },
  });
  expect(code).toBe(201);
  return body as Csr;
}

async function approve(client: ApiClient, csr: Csr, type = "Approved") {
  const conditions = [{ type, status: "True", reason: "ByTest" }];
  const body = { ...csr, status: { conditions } };
  return client.put(`${collection}/${csr.metadata.name}/approval`, body);
}

async function until(csr: Csr, isDone: (one: Csr) => boolean): Promise<Csr> {
  for (;;) {
    const { body } = await admin.get(`${collection}/${csr.metadata.name}`);
    if (isDone(body as Csr)) return body as Csr;
  }
}

const usages = ["digital signature", "key encipherment", "server auth"];
const conditions = (csr: Csr) => (csr.status.conditions ?? []).map(({ type }) => type);

describe("CertificateSigningRequests", () => {
  it("says who asked, and signs a serving certificate once it is approved", async () => {
    const csr = await ask(node, serving, usages);
    expect(csr.spec.username).toBe("system:node:n");
    expect(csr.spec.groups).toContain("system:nodes");
    expect(csr.status).toEqual({});
    expect((await approve(admin, csr)).code).toBe(200);
    const signed = await until(csr, ({ status }) => status.certificate !== undefined);
    expect(conditions(signed)).toEqual(["Approved"]);
    const pem = Buffer.from(signed.status.certificate ?? "", "base64").toString("utf8");
    const certificate = new X509Certificate(pem);
    expect(certificate.verify(new X509Certificate(cluster.caPem).publicKey)).toBe(true);
    expect(certificate.checkIP("10.0.0.1")).toBe("10.0.0.1");
    expect(certificate.subject).toBe("O=system:nodes\nCN=system:node:n");
    expect(certificate.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
  });

  it("lets nobody approve who may not, the node itself included", async () => {
    const csr = await ask(node, serving, usages);
    const { code, body } = await approve(node, csr);
    expect(code).toBe(403);
    expect(body.message).toMatch(/cannot update resource "certificatesigningrequests\/approval"/);
  });

  it("signs nothing that is denied", async () => {
    const csr = await ask(node, serving, usages);
    await approve(admin, csr, "Denied");
    const denied = await until(csr, (one) => conditions(one).includes("Denied"));
    expect(denied.status.certificate).toBeUndefined();
  });

  it.each([
    ["of another organization", serving, usages, host, "developers", /organization/],
    ["without an address", serving, usages, [], "system:nodes", /subjectAltName is required/],
    ["for another use", serving, [...usages, "client auth"], host, "system:nodes", /usages/],
    [
      "for a client, with an address",
      nodeClient,
      ["digital signature", "client auth"],
      host,
      "system:nodes",
      /not allowed/,
    ],
  ])("fails an approved request %s", async (_, signer, use, names, organization, reason) => {
    const csr = await ask(admin, signer, use, names, organization);
    await approve(admin, csr);
    const failed = await until(csr, (one) => conditions(one).includes("Failed"));
    expect(JSON.stringify(failed.status)).toMatch(reason);
    expect(failed.status.certificate).toBeUndefined();
  });

  it("approves by itself only a node's own next client certificate, where nodes may ask", async () => {
    const clientUsages = ["digital signature", "key encipherment", "client auth"];
    const waiting = await ask(node, nodeClient, clientUsages, []);
    await admin.post("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", {
      metadata: { name: "renewal" },
      roleRef: {
        apiGroup: "rbac.authorization.k8s.io",
        kind: "ClusterRole",
        name: "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient",
      },
      subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "Group", name: "system:nodes" }],
    });
    const csr = await ask(node, nodeClient, clientUsages, []);
    await until(csr, ({ status }) => status.certificate !== undefined);
    const before = await admin.get(`${collection}/${waiting.metadata.name}`);
    expect((before.body as Csr).status).toEqual({});
  });

  it("refuses what is no request", async () => {
    const spec = { request: "bm9uc2Vuc2U=", signerName: serving, usages };
    const { code, body } = await admin.post(collection, { metadata: { name: "bad" }, spec });
    expect(code).toBe(422);
    expect(body.message).toMatch(/spec.request/);
  });
});
