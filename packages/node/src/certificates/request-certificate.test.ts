// oxlint-disable-next-line import/no-unassigned-import -- a polyfill that x509 needs before it loads
import "reflect-metadata";
import { X509Certificate } from "node:crypto";
import { eventually } from "@interlink/kube/testing";
import * as x509 from "@peculiar/x509";
import { beforeEach, describe, expect, it } from "vitest";
import { testAuthority } from "../testing/certificates.ts";
import { FakeSigner } from "../testing/fake-signer.ts";
import { certificateFacts } from "./certificate-facts.ts";
import { type NodeSigner, requestCertificate } from "./request-certificate.ts";

let signer: FakeSigner;
let names: string[];

beforeEach(async () => {
  signer = new FakeSigner(await testAuthority("cluster"));
  names = [];
});

function request(
  hosts = ["10.0.0.1", "node.example", "fd00::1"],
  of: NodeSigner = "kubernetes.io/kubelet-serving",
  waitMs = 60_000,
) {
  const wish = {
    nodeName: "n",
    signer: of,
    hosts,
    waitMs,
    requested: (name: string) => names.push(name),
  };
  return requestCertificate(signer.client(), wish, new AbortController().signal);
}

const soon = () => new Date(Date.now() + 3_600_000);

describe("requestCertificate", () => {
  it("asks for exactly what the serving signer accepts, with an EC key", async () => {
    const asked = request();
    await eventually(() => names.length === 1);
    const { spec, metadata } = signer.requests[0] ?? {};
    expect(spec).toEqual({
      request: expect.any(String),
      signerName: "kubernetes.io/kubelet-serving",
      usages: ["digital signature", "key encipherment", "server auth"],
    });
    expect(metadata?.generateName).toBe("csr-");
    const parsed = new x509.Pkcs10CertificateRequest(signer.text(0));
    expect(parsed.subjectName.toJSON()).toEqual([
      { O: ["system:nodes"] },
      { CN: ["system:node:n"] },
    ]);
    expect(parsed.publicKey.algorithm).toMatchObject({ name: "ECDSA", namedCurve: "P-256" });
    const san = parsed.getExtension("2.5.29.17");
    expect((san as x509.SubjectAlternativeNameExtension).names.toJSON()).toEqual([
      { type: "ip", value: "10.0.0.1" },
      { type: "dns", value: "node.example" },
      { type: "ip", value: "fd00::1" },
    ]);
    await signer.sign(0, new Date(), soon());
    const pair = await asked;
    expect(certificateFacts(pair).covers(["10.0.0.1", "node.example", "fd00::1"])).toBe(true);
    expect(certificateFacts(pair).covers(["10.0.0.2"])).toBe(false);
  });

  it("asks for a client certificate without hosts", async () => {
    const asked = request([], "kubernetes.io/kube-apiserver-client-kubelet");
    await eventually(() => names.length === 1);
    expect(signer.requests[0]?.spec.usages).toEqual([
      "digital signature",
      "key encipherment",
      "client auth",
    ]);
    expect(new x509.Pkcs10CertificateRequest(signer.text(0)).extensions).toEqual([]);
    await signer.sign(0, new Date(), soon());
    expect(new X509Certificate((await asked).cert).subject).toContain("CN=system:node:n");
  });

  it("says that it was denied, and by what words", async () => {
    const asked = request();
    await eventually(() => names.length === 1);
    signer.deny(0);
    await expect(asked).rejects.toMatchObject({
      code: "denied",
      message: "csr-1 was denied: No not here",
    });
  });

  it("gives up a request that somebody removed", async () => {
    const asked = request();
    await eventually(() => names.length === 1);
    signer.remove(0);
    await expect(asked).rejects.toMatchObject({ code: "unanswered" });
  });

  it("tells apart that nobody approves and that nobody signs", async () => {
    await expect(request([], "kubernetes.io/kubelet-serving", 1)).rejects.toThrow(
      /kubectl certificate approve/,
    );
    const asked = request([], "kubernetes.io/kubelet-serving", 1500);
    await eventually(() => names.length === 2);
    signer.approve(1);
    await expect(asked).rejects.toThrow(/approved, but nobody signs it/);
  });

  it("does not take a certificate that has run out already", async () => {
    const asked = request();
    await eventually(() => names.length === 1);
    await signer.sign(0, new Date(Date.now() - 600_000), new Date(Date.now() - 1000));
    await expect(asked).rejects.toThrow(/has run out already/);
  });

  it("does not take a certificate for another key", async () => {
    const asked = request();
    await eventually(() => names.length === 1);
    const other = new FakeSigner(await testAuthority("other"));
    const second = requestCertificate(
      other.client(),
      {
        nodeName: "n",
        signer: "kubernetes.io/kubelet-serving",
        hosts: ["a"],
        waitMs: 60_000,
        requested: () => undefined,
      },
      new AbortController().signal,
    );
    await eventually(() => other.requests.length === 1);
    await other.sign(0, new Date(), soon());
    await second;
    const [first] = signer.requests;
    if (first) first.status = other.requests[0]?.status ?? {};
    await expect(asked).rejects.toMatchObject({ code: "unusable" });
  });
});
