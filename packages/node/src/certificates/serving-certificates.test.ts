import { X509Certificate } from "node:crypto";
import { existsSync, statSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "@interlink/kube/testing";
import fc from "fast-check";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { testAuthority } from "../testing/certificates.ts";
import { FakeSigner } from "../testing/fake-signer.ts";
import { certificateFacts, type KeyPair, renewalTime } from "./certificate-facts.ts";
import { certificateFile } from "./certificate-file.ts";
import { defaultCertificateTiming } from "./certificate-timing.ts";
import { renewClientCertificate } from "./client-certificate.ts";
import { ServingCertificates, type ServingCertificatesOptions } from "./serving-certificates.ts";

const HOUR = 3_600_000;
let folder: string;
let file: string;
let signer: FakeSigner;
let stop: AbortController;
let runs: Promise<void>[];
let told: string[];
let used: KeyPair[];
let now: number;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "interlink-certificates-"));
  file = join(folder, "deep", "kubelet-serving.pem");
  signer = new FakeSigner(await testAuthority("cluster"));
  stop = new AbortController();
  runs = [];
  told = [];
  used = [];
  now = Date.now();
});

afterEach(async () => {
  stop.abort();
  await Promise.all(runs);
  await rm(folder, { recursive: true });
});

async function start(changed: Partial<ServingCertificatesOptions> = {}) {
  const certificates = new ServingCertificates({
    nodeName: "n",
    from: "csr",
    hosts: ["10.0.0.1"],
    file: certificateFile(file),
    client: signer.client(),
    tell: (_type, reason, message) => told.push(`${reason}: ${message}`),
    logger: pino({ level: "silent" }),
    timing: { now: () => now, random: () => 0.5, firstRetryMs: 1, retryMs: 5 },
    ...changed,
  });
  used.push(await certificates.first());
  runs.push(certificates.run((pair) => used.push(pair), stop.signal));
  return certificates;
}

const requested = (count: number) => eventually(() => signer.requests.length === count);
const uses = (count: number) => eventually(() => used.length === count);
function covers(index: number, hosts: string[]): boolean {
  const pair = used[index];
  return pair !== undefined && certificateFacts(pair).covers(hosts);
}
const sign = (index: number) => signer.sign(index, new Date(now), new Date(now + 10 * HOUR));
describe("ServingCertificates from signing requests", () => {
  it("serves a self-signed one until the cluster has signed, and says what to do", async () => {
    await start();
    await requested(1);
    expect(used).toHaveLength(1);
    expect(told[0]).toMatch(
      /^ServingCertificateRequested: csr-1 waits .* self-signed .* kubectl certificate approve csr-1$/,
    );
    await sign(0);
    await uses(2);
    expect(new X509Certificate(used[1]?.cert ?? "").issuer).toBe("CN=cluster");
    await eventually(() => told.some((one) => one.startsWith("ServingCertificateIssued")));
  });

  it("keeps the issued one for its owner only, and serves it after a restart without asking", async () => {
    await start();
    await requested(1);
    await sign(0);
    await eventually(() => existsSync(file));
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(join(file, "..")).mode & 0o777).toBe(0o700);
    stop.abort();
    await Promise.all(runs);
    stop = new AbortController();
    await start();
    expect(used.at(-1)?.cert.trim()).toBe(used[1]?.cert.trim());
    expect(signer.requests).toHaveLength(1);
  });

  it.each([
    ["is for other addresses", { hosts: ["10.0.0.2"] }, 0],
    ["is for another node", { nodeName: "m" }, 0],
    ["has run out", {}, 11 * HOUR],
  ])("does not serve a kept one that %s", async (_, changed, later) => {
    await start();
    await requested(1);
    await sign(0);
    await eventually(() => existsSync(file));
    stop.abort();
    await Promise.all(runs);
    stop = new AbortController();
    now += later;
    await start(changed);
    await requested(2);
    expect(used.at(-1)?.cert.trim()).not.toBe(used[1]?.cert.trim());
  });

  it("asks anew in 70–90 % of its life and serves the old one meanwhile", async () => {
    const certificates = await start();
    await requested(1);
    await sign(0);
    await uses(2);
    now += 8 * HOUR - 1000;
    certificates.setHosts(["10.0.0.1"]);
    now += 2000;
    certificates.setHosts(["10.0.0.1"]);
    await requested(2);
    expect(used).toHaveLength(2);
    await sign(1);
    await uses(3);
  });

  it("asks anew at once when the node has another address, and serves a self-signed one for it until then", async () => {
    const certificates = await start();
    await requested(1);
    await sign(0);
    await uses(2);
    certificates.setHosts(["10.0.0.7"]);
    await requested(2);
    await uses(3);
    expect(covers(2, ["10.0.0.7"])).toBe(true);
    await sign(1);
    await uses(4);
  });

  it("drops a request under way for addresses that are the node's no longer", async () => {
    const certificates = await start();
    await requested(1);
    certificates.setHosts(["10.0.0.7"]);
    await requested(2);
    await sign(1);
    await uses(3);
    expect(covers(2, ["10.0.0.7"])).toBe(true);
  });

  it("asks again after a denial, and tells it", async () => {
    await start();
    await requested(1);
    signer.deny(0);
    await requested(2);
    expect(told).toContain(
      "ServingCertificateRefused: csr-1 was denied: No not here A self-signed one is served until then.",
    );
    await sign(1);
    await uses(2);
  });

  it("serves on when it cannot keep what it was given", async () => {
    await writeFile(join(folder, "deep"), "a file where a folder should be");
    await start();
    await requested(1);
    await sign(0);
    await uses(2);
  });
});

describe("ServingCertificates, self-signed", () => {
  it("makes another one in time and for other addresses, and asks nobody", async () => {
    const certificates = await start({ from: "self-signed" });
    now += 300 * 24 * HOUR;
    certificates.setHosts(["10.0.0.1"]);
    await uses(2);
    certificates.setHosts(["10.0.0.8"]);
    await uses(3);
    expect(covers(2, ["10.0.0.8"])).toBe(true);
    expect(signer.requests).toEqual([]);
  });
});

describe("renewalTime", () => {
  it("lies between 70 and 90 % of the life, whatever the draw", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2 ** 41 }),
        fc.integer({ min: 1, max: 2 ** 40 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (notBefore, life, random) => {
          const part =
            (renewalTime({ notBefore, notAfter: notBefore + life }, random) - notBefore) / life;
          expect(part).toBeGreaterThanOrEqual(0.699);
          expect(part).toBeLessThanOrEqual(0.901);
        },
      ),
    );
  });
});

describe("certificateFile", () => {
  it("takes a broken file for none", async () => {
    const broken = certificateFile(join(folder, "x.pem"));
    expect(await broken.read()).toBeUndefined();
    await writeFile(broken.path, "-----BEGIN CERTIFICATE-----\nnonsense");
    expect(await broken.read()).toBeUndefined();
  });
});

describe("renewClientCertificate", () => {
  it("asks for the next one in time, and writes it where the credentials find it", async () => {
    const authority = await testAuthority("cluster");
    // Valid for an hour from now.
    const own = await authority.client("system:node:n", ["system:nodes"]);
    now += 0.95 * HOUR;
    const kept = certificateFile(join(folder, "kube-client.pem"));
    const timing = { ...defaultCertificateTiming, now: () => now, random: () => 0.5 };
    const parts = { nodeName: "n", credentials: { tls: async () => own }, file: kept, timing };
    runs.push(
      renewClientCertificate(
        { ...parts, client: signer.client(), logger: pino({ level: "silent" }) },
        stop.signal,
      ),
    );
    await requested(1);
    expect(signer.requests[0]?.spec.signerName).toBe("kubernetes.io/kube-apiserver-client-kubelet");
    await sign(0);
    await eventually(() => existsSync(kept.path));
    expect((await kept.read())?.key).toMatch(/PRIVATE KEY/);
  });
});
