import { createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { calculateJwkThumbprint, exportJWK, type JWK, jwtVerify, SignJWT } from "jose";
import type { Storage } from "../storage/storage.ts";
import { type Identity, serviceAccountIdentity } from "./identity.ts";

/** The object whose end is the token's end. */
export interface BoundObject {
  kind: "Pod" | "Secret" | "Node";
  name: string;
  uid: string;
}

export interface TokenWish {
  namespace: string;
  serviceAccount: { name: string; uid: string };
  audiences: readonly string[];
  expirationSeconds: number;
  bound?: BoundObject;
  /** The node of the bound pod. */
  node?: { name: string; uid: string };
}

export interface VerifiedToken {
  identity: Identity;
  audiences: string[];
}

interface KubernetesClaim {
  namespace?: string;
  serviceaccount?: { name?: string; uid?: string };
  pod?: { name?: string; uid?: string };
  secret?: { name?: string; uid?: string };
  node?: { name?: string; uid?: string };
}

/** Signs and checks service account tokens: JWTs (ES256) bound to an account and, if asked, to a pod or secret. */
export class ServiceAccountTokens {
  readonly issuer: string;
  readonly #privateKey: KeyObject;
  readonly #publicKey: KeyObject;
  readonly #storage: Storage;

  constructor(storage: Storage, issuer: string) {
    this.issuer = issuer;
    this.#storage = storage;
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    this.#privateKey = privateKey;
    this.#publicKey = createPublicKey(privateKey);
  }

  async sign(wish: TokenWish): Promise<{ token: string; expiresAt: number }> {
    const nowSeconds = Math.floor(this.#storage.chance.now() / 1000);
    const expiresAt = nowSeconds + wish.expirationSeconds;
    const claim: KubernetesClaim = {
      namespace: wish.namespace,
      serviceaccount: wish.serviceAccount,
    };
    if (wish.bound) {
      const key = wish.bound.kind.toLowerCase() as "pod" | "secret" | "node";
      claim[key] = { name: wish.bound.name, uid: wish.bound.uid };
    }
    if (wish.node) claim.node = wish.node;
    const { kid } = await this.jwk();
    const token = await new SignJWT({ "kubernetes.io": claim })
      .setProtectedHeader({ alg: "ES256", kid: kid ?? "" })
      .setIssuer(this.issuer)
      .setSubject(`system:serviceaccount:${wish.namespace}:${wish.serviceAccount.name}`)
      .setAudience([...wish.audiences])
      .setIssuedAt(nowSeconds)
      .setNotBefore(nowSeconds)
      .setExpirationTime(expiresAt)
      .setJti(this.#storage.chance.uuid())
      .sign(this.#privateKey);
    return { token, expiresAt: expiresAt * 1000 };
  }

  /** Throws with a reason when the token is not ours, has expired, or what it is bound to has gone. */
  async verify(token: string): Promise<VerifiedToken> {
    const { payload } = await jwtVerify(token, this.#publicKey, {
      issuer: this.issuer,
      currentDate: new Date(this.#storage.chance.now()),
    });
    const claim = (payload["kubernetes.io"] ?? {}) as KubernetesClaim;
    const { namespace = "", serviceaccount } = claim;
    const name = serviceaccount?.name ?? "";
    const account = this.#storage.find("serviceaccounts", namespace, name);
    if (!account || account.metadata.uid !== serviceaccount?.uid) {
      throw new Error("service account has been deleted or replaced; ask for a new token");
    }
    for (const [plural, bound] of [
      ["pods", claim.pod],
      ["secrets", claim.secret],
    ] as const) {
      if (!bound) continue;
      const found = this.#storage.find(plural, namespace, bound.name ?? "");
      if (!found || found.metadata.uid !== bound.uid) {
        throw new Error(`the token is bound to ${plural} "${bound.name}", which is gone`);
      }
    }
    const identity = serviceAccountIdentity(namespace, name, account.metadata.uid ?? "");
    const extra: Record<string, string[]> = {};
    if (payload.jti) extra["authentication.kubernetes.io/credential-id"] = [`JTI=${payload.jti}`];
    if (claim.pod) {
      extra["authentication.kubernetes.io/pod-name"] = [claim.pod.name ?? ""];
      extra["authentication.kubernetes.io/pod-uid"] = [claim.pod.uid ?? ""];
    }
    if (claim.node) {
      extra["authentication.kubernetes.io/node-name"] = [claim.node.name ?? ""];
      extra["authentication.kubernetes.io/node-uid"] = [claim.node.uid ?? ""];
    }
    const audience = payload.aud ?? [];
    return {
      identity: { ...identity, extra },
      audiences: typeof audience === "string" ? [audience] : audience,
    };
  }

  /** The public key, for `/openid/v1/jwks`. */
  async jwk(): Promise<JWK> {
    const jwk = await exportJWK(this.#publicKey);
    return { ...jwk, use: "sig", alg: "ES256", kid: await calculateJwkThumbprint(jwk) };
  }
}
