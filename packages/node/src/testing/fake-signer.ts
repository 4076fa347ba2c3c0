import type { KubeClient } from "@interlink/kube";
import { KubeError } from "@interlink/kube";
import type { CertificateSigningRequest } from "kubernetes-types/certificates/v1.js";
import type { TestAuthority } from "./certificates.ts";

/** A cluster that knows signing requests and nothing else; a test decides what becomes of each. */
export class FakeSigner {
  readonly requests: CertificateSigningRequest[] = [];
  readonly #authority: TestAuthority;

  constructor(authority: TestAuthority) {
    this.#authority = authority;
  }

  client(): KubeClient {
    const known: Partial<KubeClient> = {
      create: async <T>(_path: string, body: unknown) => {
        const made = structuredClone(body) as CertificateSigningRequest;
        made.metadata = { ...made.metadata, name: `csr-${this.requests.length + 1}` };
        this.requests.push(made);
        return structuredClone(made) as T;
      },
      get: async <T>(path: string) => {
        const found = this.requests.find(({ metadata }) => path.endsWith(`/${metadata?.name}`));
        if (found === undefined) throw new KubeError("not-found", "there is none");
        return structuredClone(found) as T;
      },
    };
    return known as KubeClient;
  }

  /** The PKCS#10 text of the request. */
  text(index: number): string {
    return Buffer.from(this.requests[index]?.spec.request ?? "", "base64").toString("utf8");
  }

  async sign(index: number, notBefore: Date, notAfter: Date): Promise<void> {
    const pem = await this.#authority.sign(this.text(index), notBefore, notAfter);
    this.#set(index, { certificate: Buffer.from(pem).toString("base64") });
  }

  deny(index: number): void {
    const message = "not here";
    this.#set(index, { conditions: [{ type: "Denied", status: "True", reason: "No", message }] });
  }

  approve(index: number): void {
    this.#set(index, { conditions: [{ type: "Approved", status: "True" }] });
  }

  remove(index: number): void {
    this.requests.splice(index, 1);
  }

  #set(index: number, status: NonNullable<CertificateSigningRequest["status"]>): void {
    const request = this.requests[index];
    if (request === undefined) throw new Error(`there is no request ${index}`);
    request.status = status;
  }
}
