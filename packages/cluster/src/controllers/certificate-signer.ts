import type { CertificateSigningRequest } from "kubernetes-types/certificates/v1.js";
import { as, clone, type KubeObject } from "../api/object.ts";
import type { Authorizer } from "../auth/authorize.ts";
import type { CertificateAuthority } from "../certificates/authority.ts";
import {
  commonName,
  readSigningRequest,
  signers,
  signingProblem,
} from "../certificates/signing-rules.ts";
import { type Controller, type ControllerParts, Lifetime } from "./controller.ts";

const group = "certificates.k8s.io";
const plural = "certificatesigningrequests";
const ours: ReadonlySet<string> = new Set(Object.values(signers));

export interface CertificateSignerSettings {
  readonly authority: CertificateAuthority;
  readonly authorizer: Authorizer;
  /** How long certificates are valid, seconds. */
  readonly seconds: number;
}

/**
 * Signs what is approved, as kube-controller-manager does, and approves by itself only what it does: the next client
 * certificate of a node that asks for itself and may (`certificatesigningrequests/selfnodeclient`).
 */
export function certificateSigner(
  { storage, logger }: ControllerParts,
  { authority, authorizer, seconds }: CertificateSignerSettings,
): Controller {
  const lifetime = new Lifetime();
  const store = storage.storeOf(plural, group);

  const setStatus = (name: string, status: object): void => {
    const current = store.get(name);
    if (!current) return;
    const next = clone(current);
    next.status = { ...(next.status as object | undefined), ...status };
    store.put(name, next);
  };
  const addCondition = (name: string, type: string, reason: string, message: string): void => {
    const { status } = as<CertificateSigningRequest>(store.get(name) ?? { metadata: {} });
    const at = storage.timestamp();
    const times = { lastUpdateTime: at, lastTransitionTime: at };
    const condition = { type, status: "True", reason, message, ...times };
    setStatus(name, { conditions: [...(status?.conditions ?? []), condition] });
  };

  const look = async (object: KubeObject): Promise<void> => {
    const { spec, status } = as<CertificateSigningRequest>(object);
    const name = object.metadata.name ?? "";
    if (!ours.has(spec.signerName) || status?.certificate) return;
    const types = new Set((status?.conditions ?? []).map(({ type }) => type));
    if (types.has("Denied") || types.has("Failed")) return;
    const request = readSigningRequest(spec.request);
    if (!types.has("Approved")) {
      const { username = "", groups = [] } = spec;
      const asked = { kind: "resource" as const, verb: "create", group, resource: plural };
      const identity = { username, groups };
      const isOwn = spec.signerName === signers.nodeClient && username === commonName(request);
      const may = () =>
        authorizer.decide(identity, { ...asked, subresource: "selfnodeclient" }).allowed;
      if (isOwn && may())
        addCondition(
          name,
          "Approved",
          "AutoApproved",
          "Auto approving self kubelet client certificate.",
        );
      return;
    }
    const problem = signingProblem({
      signerName: spec.signerName,
      usages: spec.usages ?? [],
      request,
    });
    if (problem !== undefined) {
      addCondition(name, "Failed", "SignerValidationFailure", problem);
      return;
    }
    const pem = await authority.sign(request, spec.usages ?? [], storage.chance.now(), seconds);
    setStatus(name, { certificate: Buffer.from(pem).toString("base64") });
  };
  const lookSafely = (object: KubeObject): void => {
    look(object).catch((err: unknown) =>
      logger.error({ err }, "a certificate could not be signed"),
    );
  };

  return {
    start: () => {
      for (const object of store.values()) lookSafely(object);
      lifetime.add(
        store.subscribe((event) => {
          if (event.type !== "DELETED") lookSafely(event.object);
        }),
      );
    },
    stop: () => lifetime.end(),
  };
}
