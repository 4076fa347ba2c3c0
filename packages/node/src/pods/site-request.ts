import {
  type Capabilities,
  CREATED_BY_ANNOTATION,
  offers,
  type PodCreateRequest,
} from "@interlink/protocol";
import type { Pod } from "kubernetes-types/core/v1.js";
import { contentHash, withContent } from "../resolve/content.ts";
import { buildCreateRequest, type CreateRequestResult } from "../resolve/create-request.ts";
import type { PodObjects } from "../resolve/pod-objects.ts";
import type { PodContext } from "./pod-context.ts";

type Parts = Pick<
  PodContext,
  "site" | "allocatable" | "jobscriptURL" | "nodeAddress" | "wall" | "owner" | "reader"
>;

/** Ephemeral containers come by an update. */
export function offersEphemeral(site: Capabilities | undefined): boolean {
  return offers(site, "pod-updates") && offers(site, "ephemeral-containers");
}

/** What the site would be asked to run now, or all that is missing. */
export function siteRequest(
  parts: Parts,
  pod: Pod,
  objects: PodObjects,
  options: { keepUnresolved?: boolean } = {},
): CreateRequestResult {
  const { site, allocatable, jobscriptURL, nodeAddress, wall } = parts;
  const podIPs = (pod.status?.podIPs ?? []).flatMap(({ ip }) => (ip ? [ip] : []));
  return buildCreateRequest({
    pod,
    objects,
    addresses: { podIPs, hostIPs: nodeAddress ? [nodeAddress] : [] },
    leaveAddresses: offers(site.capabilities, "pod-ip-env"),
    leaveFiles: offers(site.capabilities, "env-files"),
    ephemeralContainers: offersEphemeral(site.capabilities),
    pullSecrets: offers(site.capabilities, "pull-secrets"),
    allocatable: allocatable(),
    jobscriptURL,
    now: wall(),
    ...options,
  });
}

/**
 * Says on the pod that goes to the site who made it and, where updates are taken, what it is made of; the pod in
 * Kubernetes is not touched.
 */
export function stamped(request: PodCreateRequest, parts: Parts): PodCreateRequest {
  const { owner, site, reader, wall } = parts;
  const { metadata, ...pod } = request.pod;
  const annotations = {
    ...metadata?.annotations,
    ...(owner && { [CREATED_BY_ANNOTATION]: owner }),
  };
  const owned =
    owner === undefined
      ? request
      : { ...request, pod: { ...pod, metadata: { ...metadata, annotations } } };
  if (!offers(site.capabilities, "pod-updates")) return owned;
  const dueInMs = reader.tokensDueInMs(metadata?.uid ?? "");
  const renewAt = dueInMs === undefined ? undefined : wall().getTime() + dueInMs;
  return withContent(owned, { hash: contentHash(request), renewAt });
}
