import type { TokenRequest } from "kubernetes-types/authentication/v1.js";
import type { Pod } from "kubernetes-types/core/v1.js";
import { badRequest, conflict, notFound } from "../api/api-error.ts";
import { FieldErrors } from "../api/field-errors.ts";
import { as } from "../api/object.ts";
import type { BoundObject, ServiceAccountTokens } from "../auth/service-account-tokens.ts";
import { readObject } from "../http/body.ts";
import type { SubresourceHandler } from "../http/resource-handler.ts";
import type { Decoder } from "../openapi/decode.ts";
import { apiTime, type Storage } from "../storage/storage.ts";

const leastSeconds = 600;
const defaultSeconds = 3600;
/** The longest that this server gives; the real default is no limit. */
const mostSeconds = 365 * 24 * 3600;
/** What the admission plugin writes into pods gets a year, so that old clients that read once go on working. */
const admissionSeconds = 3607;

export interface TokenParts {
  readonly storage: Storage;
  readonly tokens: ServiceAccountTokens;
  readonly decoder: Decoder;
  readonly apiAudience: string;
}

const requestName = {
  group: "authentication.k8s.io",
  version: "v1",
  plural: "tokenrequests",
  kind: "TokenRequest",
};

/** `POST serviceaccounts/NAME/token`. */
export function serviceAccountToken(parts: TokenParts): SubresourceHandler {
  const { storage, tokens, decoder, apiAudience } = parts;
  return async (exchange, info, target) => {
    const name = info.name ?? "";
    const body = await readObject(exchange.request);
    const object = decoder.decode(requestName, body, exchange);
    const account = storage.find("serviceaccounts", target.namespace, name);
    if (!account) throw notFound(target.definition, name);
    const spec = as<Partial<TokenRequest>>(object).spec;
    const seconds = spec?.expirationSeconds ?? defaultSeconds;
    const errors = new FieldErrors();
    if (seconds < leastSeconds) {
      errors.invalid(
        "spec.expirationSeconds",
        seconds,
        "may not specify a duration less than 10 minutes",
      );
    }
    errors.throwIfAny(requestName, name);

    const namespace = target.namespace ?? "";
    const reference = spec?.boundObjectRef;
    const bound = reference && boundObject(storage, namespace, name, reference);
    const audiences = spec?.audiences?.length ? spec.audiences : [apiAudience];
    const lasting = bound?.kind === "Pod" && seconds === admissionSeconds;
    const { token, expiresAt } = await tokens.sign({
      namespace,
      serviceAccount: { name, uid: account.metadata.uid ?? "" },
      audiences,
      expirationSeconds: lasting ? mostSeconds : Math.min(seconds, mostSeconds),
      ...(bound ? { bound } : {}),
      ...nodeOf(storage, namespace, bound),
    });
    const told = lasting ? storage.chance.now() + seconds * 1000 : expiresAt;
    exchange.json(201, {
      kind: "TokenRequest",
      apiVersion: "authentication.k8s.io/v1",
      metadata: { name, namespace, creationTimestamp: storage.timestamp() },
      spec: { ...spec, audiences, expirationSeconds: seconds },
      status: { token, expirationTimestamp: apiTime(told) },
    });
  };
}

const boundKinds: Readonly<Record<string, string>> = { Pod: "pods", Secret: "secrets" };

function boundObject(
  storage: Storage,
  namespace: string,
  account: string,
  reference: { kind?: string; name?: string; uid?: string },
): BoundObject {
  const { kind = "", name = "", uid } = reference;
  const plural = boundKinds[kind];
  if (!plural) throw badRequest(`cannot bind token to object of type ${kind}`);
  const definition = storage.must(plural);
  const found = storage.find(plural, namespace, name);
  if (!found) throw notFound(definition, name);
  if (uid && uid !== found.metadata.uid) {
    throw conflict(
      definition,
      name,
      `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`,
    );
  }
  const used = kind === "Pod" ? as<Pod>(found).spec?.serviceAccountName : account;
  if (used !== account) {
    throw badRequest(
      `cannot bind token for serviceaccount "${account}" to pod running with different serviceaccount name.`,
    );
  }
  return { kind: kind as "Pod" | "Secret", name, uid: found.metadata.uid ?? "" };
}

function nodeOf(
  storage: Storage,
  namespace: string,
  bound: BoundObject | undefined,
): { node?: { name: string; uid: string } } {
  if (bound?.kind !== "Pod") return {};
  const pod = storage.find("pods", namespace, bound.name);
  const name = pod && as<Pod>(pod).spec?.nodeName;
  const node = name ? storage.find("nodes", undefined, name) : undefined;
  return name && node ? { node: { name, uid: node.metadata.uid ?? "" } } : {};
}
