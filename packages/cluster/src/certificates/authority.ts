// oxlint-disable-next-line import/no-unassigned-import -- a polyfill that x509 needs before it loads
import "reflect-metadata";
import { webcrypto } from "node:crypto";
import { isIP } from "node:net";
import * as x509 from "@peculiar/x509";

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const lifetimeMs = 365 * 24 * 3600 * 1000;
const backdateMs = 5 * 60 * 1000;

const extendedUsages: Readonly<Record<string, x509.ExtendedKeyUsage>> = {
  "server auth": x509.ExtendedKeyUsage.serverAuth,
  "client auth": x509.ExtendedKeyUsage.clientAuth,
};

/** Both as PEM; the key is a secret. */
export interface KeyAndCertificate {
  keyPem: string;
  certificatePem: string;
}

/** Whom a certificate names, and for what. */
export interface CertificateRequest {
  commonName: string;
  organizations?: readonly string[];
  /** DNS names and IP addresses for a serving certificate; none makes a client certificate. */
  hosts?: readonly string[];
  /** How long it is valid; default a year. */
  seconds?: number;
}

/** The cluster's own certificate authority: signs serving and client certificates, EC P-256, valid for a year. */
export class CertificateAuthority {
  readonly certificatePem: string;
  /** PKCS#8. A secret: for a file that only its owner can read, of a control plane that signs for itself. */
  readonly keyPem: string;
  readonly #certificate: x509.X509Certificate;
  readonly #key: webcrypto.CryptoKey;

  private constructor(certificate: x509.X509Certificate, key: webcrypto.CryptoKey, keyPem: string) {
    this.#certificate = certificate;
    this.#key = key;
    this.keyPem = keyPem;
    this.certificatePem = `${certificate.toString("pem")}\n`;
  }

  static async create(commonName: string, now: number): Promise<CertificateAuthority> {
    const keys = await newKeys();
    const certificate = await x509.X509CertificateGenerator.createSelfSigned(
      {
        serialNumber: serialNumber(),
        name: distinguishedName(commonName, []),
        notBefore: new Date(now - backdateMs),
        notAfter: new Date(now + lifetimeMs),
        signingAlgorithm: algorithm,
        keys,
        extensions: [
          new x509.BasicConstraintsExtension(true, undefined, true),
          new x509.KeyUsagesExtension(
            x509.KeyUsageFlags.keyCertSign |
              x509.KeyUsageFlags.cRLSign |
              x509.KeyUsageFlags.digitalSignature,
            true,
          ),
          await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
        ],
      },
      webcrypto,
    );
    return new CertificateAuthority(
      certificate,
      keys.privateKey,
      await privateKeyPem(keys.privateKey),
    );
  }

  /** Certifies the key of a request, with its subject and names, for `usages` as CertificateSigningRequest names them. */
  async sign(
    request: x509.Pkcs10CertificateRequest,
    usages: readonly string[],
    now: number,
    seconds: number,
  ): Promise<string> {
    const purposes = usages.flatMap((usage) => extendedUsages[usage] ?? []);
    const { digitalSignature, keyEncipherment } = x509.KeyUsageFlags;
    const names = request.getExtension("2.5.29.17");
    const certificate = await x509.X509CertificateGenerator.create(
      {
        serialNumber: serialNumber(),
        subject: request.subjectName.toJSON(),
        issuer: this.#certificate.subject,
        notBefore: new Date(now - backdateMs),
        notAfter: new Date(now + seconds * 1000),
        signingKey: this.#key,
        publicKey: request.publicKey,
        signingAlgorithm: algorithm,
        extensions: [
          new x509.BasicConstraintsExtension(false, undefined, true),
          usages.includes("key encipherment")
            ? new x509.KeyUsagesExtension(digitalSignature | keyEncipherment, true)
            : new x509.KeyUsagesExtension(digitalSignature, true),
          new x509.ExtendedKeyUsageExtension(purposes),
          ...(names === null ? [] : [names]),
        ],
      },
      webcrypto,
    );
    return `${certificate.toString("pem")}\n`;
  }

  async issue(request: CertificateRequest, now: number): Promise<KeyAndCertificate> {
    const keys = await newKeys();
    const serving = request.hosts !== undefined && request.hosts.length > 0;
    const usage = serving ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth;
    const extensions: x509.Extension[] = [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([usage]),
      await x509.AuthorityKeyIdentifierExtension.create(
        this.#certificate.publicKey,
        false,
        webcrypto,
      ),
    ];
    if (serving) {
      extensions.push(
        new x509.SubjectAlternativeNameExtension(
          (request.hosts ?? []).map((value) => ({ type: isIP(value) ? "ip" : "dns", value })),
        ),
      );
    }
    const certificate = await x509.X509CertificateGenerator.create(
      {
        serialNumber: serialNumber(),
        subject: distinguishedName(request.commonName, request.organizations ?? []),
        issuer: this.#certificate.subject,
        notBefore: new Date(now - backdateMs),
        notAfter: new Date(
          now + (request.seconds === undefined ? lifetimeMs : request.seconds * 1000),
        ),
        signingKey: this.#key,
        publicKey: keys.publicKey,
        signingAlgorithm: algorithm,
        extensions,
      },
      webcrypto,
    );
    return {
      keyPem: await privateKeyPem(keys.privateKey),
      certificatePem: `${certificate.toString("pem")}\n`,
    };
  }
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
}

async function privateKeyPem(key: webcrypto.CryptoKey): Promise<string> {
  const pkcs8 = await webcrypto.subtle.exportKey("pkcs8", key);
  return `${x509.PemConverter.encode(pkcs8, "PRIVATE KEY")}\n`;
}

/** 16 random bytes, positive. */
function serialNumber(): string {
  const bytes = webcrypto.getRandomValues(new Uint8Array(16));
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return Buffer.from(bytes).toString("hex");
}

/** As JSON names, so that no character of a name has a meaning. */
function distinguishedName(commonName: string, organizations: readonly string[]): x509.JsonName {
  return [...organizations.map((name) => ({ O: [name] })), { CN: [commonName] }];
}
