import type { Logger } from "pino";
import { noSuchResource } from "./api/api-error.ts";
import { Authenticator } from "./auth/authenticate.ts";
import { Authorizer } from "./auth/authorize.ts";
import { impersonated } from "./auth/impersonate.ts";
import { Reviews, reviewResources } from "./auth/reviews.ts";
import type { ServiceAccountTokens } from "./auth/service-account-tokens.ts";
import { signingRequestApproval } from "./certificates/approval.ts";
import type { KeyAndCertificate } from "./certificates/authority.ts";
import { Discovery } from "./discovery/discovery.ts";
import { ApiServer } from "./http/api-server.ts";
import { basicPaths, discoveryPaths, issuerPaths } from "./http/paths.ts";
import { ObjectJson } from "./http/representation.ts";
import { ResourceHandler, type SubresourceHandler } from "./http/resource-handler.ts";
import { Decoder } from "./openapi/decode.ts";
import { OpenApi } from "./openapi/document.ts";
import { openApiPaths } from "./openapi/paths.ts";
import { Schemas } from "./openapi/schemas.ts";
import { ListContinuations } from "./rest/list.ts";
import type { Storage } from "./storage/storage.ts";
import { namespaceFinalize } from "./subresources/namespace-finalize.ts";
import { nodeProxy } from "./subresources/node-proxy.ts";
import { podBinding, podEviction } from "./subresources/pod-actions.ts";
import { podLog } from "./subresources/pod-log.ts";
import { podProxy } from "./subresources/pod-proxy.ts";
import { podCommand, podPortForward } from "./subresources/pod-streams.ts";
import { serviceAccountToken } from "./subresources/service-account-token.ts";

const kubeletAnswerTimeoutMs = 30_000;

export interface AssembleParts {
  readonly storage: Storage;
  readonly tokens: ServiceAccountTokens;
  readonly apiAudience: string;
  readonly caPem: string;
  readonly serving: KeyAndCertificate;
  /** What the server shows to kubelets. */
  readonly kubeletClient: KeyAndCertificate;
  readonly bookmarkIntervalMs: number;
  readonly logger: Logger;
  /** `host:port`, once it is known. */
  readonly address: () => string;
}

/** Puts the API server together; nothing here decides anything. */
export function assembleServer(parts: AssembleParts): ApiServer {
  const { storage, tokens, apiAudience, logger } = parts;
  const { definitions, chance } = storage;
  const schemas = Schemas.load();
  const decoder = new Decoder(schemas);
  const authorizer = new Authorizer(storage);
  const reviews = new Reviews({ authorizer, tokens, decoder, apiAudience });
  const kubelets = {
    storage,
    keyPem: parts.kubeletClient.keyPem,
    certificatePem: parts.kubeletClient.certificatePem,
    answerTimeoutMs: kubeletAnswerTimeoutMs,
  };
  const subresources = new Map<string, SubresourceHandler>([
    ["pods/log", podLog(kubelets)],
    ["pods/binding", podBinding(storage)],
    ["pods/eviction", podEviction(storage)],
    ["pods/exec", podCommand(kubelets, "exec")],
    ["pods/attach", podCommand(kubelets, "attach")],
    ["pods/portforward", podPortForward(kubelets)],
    ["pods/proxy", podProxy(storage, kubeletAnswerTimeoutMs)],
    ["nodes/proxy", nodeProxy(kubelets)],
    ["certificatesigningrequests/approval", signingRequestApproval(storage, decoder, authorizer)],
    ["namespaces/finalize", namespaceFinalize(storage, decoder)],
    ["serviceaccounts/token", serviceAccountToken({ storage, tokens, decoder, apiAudience })],
  ]);
  const resources = new ResourceHandler({
    storage,
    decoder,
    json: new ObjectJson(),
    continuations: new ListContinuations(
      () => chance.uuid(),
      () => chance.now(),
    ),
    bookmarkIntervalMs: parts.bookmarkIntervalMs,
    subresources,
  });
  return new ApiServer({
    tls: { key: parts.serving.keyPem, cert: parts.serving.certificatePem, ca: parts.caPem },
    authenticator: new Authenticator(tokens, apiAudience),
    authorizer,
    impersonate: (identity, request) => impersonated(authorizer, identity, request),
    resources: (exchange, info) => {
      if (reviews.find(info)) return reviews.answer(exchange, info);
      if (info.resource === "") throw noSuchResource();
      return resources.handle(exchange, info);
    },
    paths: [
      basicPaths,
      discoveryPaths(new Discovery(definitions, reviewResources), parts.address),
      openApiPaths(new OpenApi(schemas, definitions, reviewResources)),
      issuerPaths(tokens),
    ],
    logger,
  });
}
