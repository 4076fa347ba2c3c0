import type { TokenReview } from "kubernetes-types/authentication/v1.js";
import type {
  NonResourceAttributes,
  ResourceAttributes,
  SubjectAccessReview,
} from "kubernetes-types/authorization/v1.js";
import { badRequest, methodNotAllowed, noSuchResource } from "../api/api-error.ts";
import { as, type KubeObject } from "../api/object.ts";
import type { VirtualResource } from "../discovery/discovery.ts";
import { readObject } from "../http/body.ts";
import type { Exchange } from "../http/exchange.ts";
import type { ResourceRequest } from "../http/request-info.ts";
import type { Decoder } from "../openapi/decode.ts";
import type { Attributes, Authorizer } from "./authorize.ts";
import type { Identity } from "./identity.ts";
import type { ServiceAccountTokens } from "./service-account-tokens.ts";

const authentication = "authentication.k8s.io";
const authorization = "authorization.k8s.io";

function review(group: string, kind: string, namespaced = false): VirtualResource {
  const singular = kind.toLowerCase();
  return { group, version: "v1", plural: `${singular}s`, singular, kind, namespaced };
}

/** Questions that are answered at once. */
export const reviewResources: readonly VirtualResource[] = [
  review(authentication, "SelfSubjectReview"),
  review(authentication, "TokenReview"),
  review(authorization, "LocalSubjectAccessReview", true),
  review(authorization, "SelfSubjectAccessReview"),
  review(authorization, "SelfSubjectRulesReview"),
  review(authorization, "SubjectAccessReview"),
];

export interface ReviewParts {
  readonly authorizer: Authorizer;
  readonly tokens: ServiceAccountTokens;
  readonly decoder: Decoder;
  readonly apiAudience: string;
}

/** TokenReview, SubjectAccessReview and the like. */
export class Reviews {
  readonly #parts: ReviewParts;

  constructor(parts: ReviewParts) {
    this.#parts = parts;
  }

  find(info: ResourceRequest): VirtualResource | undefined {
    return reviewResources.find(
      (item) => item.group === info.group && item.plural === info.resource && info.version === "v1",
    );
  }

  async answer(exchange: Exchange, info: ResourceRequest): Promise<void> {
    const resource = this.find(info);
    if (!resource) throw noSuchResource();
    if (info.verb !== "create") throw methodNotAllowed();
    const body = await readObject(exchange.request);
    const object = this.#parts.decoder.decode(resource, body, exchange);
    object.status = await this.#status(resource.kind, object, exchange.identity);
    exchange.json(201, object);
  }

  async #status(kind: string, object: KubeObject, identity: Identity): Promise<object> {
    switch (kind) {
      case "SelfSubjectReview":
        return { userInfo: userInfo(identity) };
      case "TokenReview":
        return this.#token(as<TokenReview>(object));
      case "SelfSubjectRulesReview": {
        const { namespace } = (object.spec ?? {}) as { namespace?: string };
        return this.#rules(identity, namespace ?? "");
      }
      case "SelfSubjectAccessReview":
        return this.#access(object, identity);
      default: {
        const spec = as<SubjectAccessReview>(object).spec;
        if (!spec?.user && !spec?.groups?.length) {
          throw badRequest("spec.user: at least one of user or group must be specified");
        }
        return this.#access(object, { username: spec.user ?? "", groups: spec.groups ?? [] });
      }
    }
  }

  #access(object: KubeObject, identity: Identity): object {
    const spec = as<SubjectAccessReview>(object).spec;
    const { allowed, reason } = this.#parts.authorizer.decide(identity, attributes(spec ?? {}));
    return { allowed, ...(reason ? { reason } : {}) };
  }

  async #token(object: TokenReview): Promise<object> {
    const { token = "", audiences = [] } = object.spec ?? {};
    const wanted = audiences.length > 0 ? audiences : [this.#parts.apiAudience];
    try {
      const verified = await this.#parts.tokens.verify(token);
      const matching = wanted.filter((audience) => verified.audiences.includes(audience));
      if (matching.length === 0) {
        const theirs = verified.audiences.join(", ");
        return { authenticated: false, error: `the token is for other audiences: ${theirs}` };
      }
      return {
        authenticated: true,
        user: userInfo(verified.identity),
        audiences: matching,
      };
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return { authenticated: false, error: `invalid bearer token: ${why}` };
    }
  }

  #rules(identity: Identity, namespace: string): object {
    const everything = identity.groups.includes("system:masters");
    const rules = everything
      ? []
      : [...this.#parts.authorizer.rulesFor(identity, namespace)].map(({ rule }) => rule);
    const resourceRules = rules
      .filter((rule) => rule.resources)
      .map(({ verbs, apiGroups, resources, resourceNames }) => ({
        verbs,
        apiGroups: apiGroups ?? [],
        resources,
        ...(resourceNames ? { resourceNames } : {}),
      }));
    const nonResourceRules = rules
      .filter((rule) => rule.nonResourceURLs)
      .map(({ verbs, nonResourceURLs }) => ({ verbs, nonResourceURLs }));
    const all = { verbs: ["*"], apiGroups: ["*"], resources: ["*"] };
    const allPaths = { verbs: ["*"], nonResourceURLs: ["*"] };
    return {
      resourceRules: everything ? [all] : resourceRules,
      nonResourceRules: everything ? [allPaths] : nonResourceRules,
      incomplete: false,
    };
  }
}

function userInfo(identity: Identity): object {
  const { username, groups, uid, extra } = identity;
  return { username, ...(uid ? { uid } : {}), groups, ...(extra ? { extra } : {}) };
}

function attributes(spec: {
  resourceAttributes?: ResourceAttributes;
  nonResourceAttributes?: NonResourceAttributes;
}): Attributes {
  const { resourceAttributes: resource, nonResourceAttributes: path } = spec;
  if (resource) {
    return {
      kind: "resource",
      verb: resource.verb ?? "*",
      group: resource.group ?? "",
      resource: resource.resource ?? "*",
      subresource: resource.subresource || undefined,
      namespace: resource.namespace || undefined,
      name: resource.name || undefined,
    };
  }
  if (path) return { kind: "path", verb: path.verb ?? "", path: path.path ?? "" };
  throw badRequest(
    "spec.resourceAttributes: Invalid value: exactly one of nonResourceAttributes or resourceAttributes must be specified",
  );
}
