import type { CertificateSigningRequest } from "kubernetes-types/certificates/v1.js";
import { badRequest, methodNotAllowed, notFound } from "../api/api-error.ts";
import { as, clone } from "../api/object.ts";
import { type Authorizer, refusal } from "../auth/authorize.ts";
import type { Identity } from "../auth/identity.ts";
import { readObject } from "../http/body.ts";
import type { SubresourceHandler } from "../http/resource-handler.ts";
import type { Decoder } from "../openapi/decode.ts";
import { replaceObject } from "../rest/update.ts";
import type { Storage } from "../storage/storage.ts";

const group = "certificates.k8s.io";

/** `certificatesigningrequests/NAME/approval`: the conditions alone, for who may approve for the signer. */
export function signingRequestApproval(
  storage: Storage,
  decoder: Decoder,
  authorizer: Authorizer,
): SubresourceHandler {
  return async (exchange, info, target) => {
    const name = info.name ?? "";
    const current = storage.find("certificatesigningrequests", undefined, name, group);
    if (!current) throw notFound(target.definition, name);
    if (info.verb === "get") return exchange.json(200, current);
    if (info.verb !== "update") throw methodNotAllowed();
    requireApprover(authorizer, exchange.identity, as<CertificateSigningRequest>(current));
    const given = decoder.decode(target.definition, await readObject(exchange.request), exchange);
    const next = clone(current);
    next.metadata.resourceVersion = given.metadata.resourceVersion ?? "";
    const { conditions = [] } = as<CertificateSigningRequest>(given).status ?? {};
    const types = conditions.map(({ type }) => type);
    if (types.includes("Approved") && types.includes("Denied"))
      throw badRequest("Approved and Denied conditions are mutually exclusive");
    const at = storage.timestamp();
    next.status = {
      ...as<CertificateSigningRequest>(current).status,
      conditions: conditions.map((one) => ({ lastTransitionTime: at, lastUpdateTime: at, ...one })),
    };
    const result = replaceObject(storage, target, name, next, exchange.call(), "status");
    exchange.json(200, result.object);
  };
}

/** The verb `approve` on the signer, by its name or its whole domain (CertificateApproval admission). */
function requireApprover(
  authorizer: Authorizer,
  identity: Identity,
  { spec }: CertificateSigningRequest,
): void {
  const domain = spec.signerName.slice(0, spec.signerName.indexOf("/"));
  const attributes = [spec.signerName, `${domain}/*`].map((name) => ({
    kind: "resource" as const,
    verb: "approve",
    group,
    resource: "signers",
    name,
  }));
  if (attributes.some((one) => authorizer.decide(identity, one).allowed)) return;
  throw refusal(identity, attributes[0] ?? { kind: "path", verb: "approve", path: "" });
}
