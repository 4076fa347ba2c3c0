import { type KubeClient, paths } from "@interlink/kube";
import type { User } from "./authentication.ts";
import { ExpiringMap } from "./expiring-map.ts";
import { KubeletError } from "./kubelet-error.ts";
import type { RequestAttributes } from "./request-attributes.ts";

/** Throws KubeletError `forbidden` when the cluster does not allow it, in the kubelet's words. */
export type Authorize = (user: User, attributes: RequestAttributes) => Promise<void>;

interface SubjectAccessReview {
  status?: { allowed?: boolean };
}

const ALLOWED_MS = 300_000;
const DENIED_MS = 30_000;
const REMEMBER = 4096;

/** Asks the cluster by SubjectAccessReview on `nodes/NAME`; a yes holds for five minutes, a no for thirty seconds. */
export function createAuthorizer(
  client: KubeClient,
  nodeName: string,
  now: () => number = Date.now,
): Authorize {
  const known = new ExpiringMap<boolean>(REMEMBER, now);
  const allowed = async (user: User, verb: string, subresource: string): Promise<boolean> => {
    const key = JSON.stringify([user, verb, subresource]);
    const remembered = known.get(key);
    if (remembered !== undefined) return remembered;
    const answer = await review(client, nodeName, user, verb, subresource);
    known.set(key, answer, answer ? ALLOWED_MS : DENIED_MS);
    return answer;
  };
  return async (user, { verb, subresources }) => {
    for (const subresource of subresources) if (await allowed(user, verb, subresource)) return;
    throw new KubeletError(
      "forbidden",
      `Forbidden (user=${user.name}, verb=${verb}, resource=nodes, subresource(s)=[${subresources.join(" ")}])`,
    );
  };
}

async function review(
  client: KubeClient,
  nodeName: string,
  user: User,
  verb: string,
  subresource: string,
): Promise<boolean> {
  const answer = await client.create<SubjectAccessReview>(
    paths.subjectAccessReviews.collection(),
    {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SubjectAccessReview",
      spec: {
        user: user.name,
        groups: user.groups,
        ...(user.uid === undefined ? {} : { uid: user.uid }),
        ...(user.extra === undefined ? {} : { extra: user.extra }),
        resourceAttributes: {
          verb,
          version: "v1",
          resource: "nodes",
          name: nodeName,
          subresource,
        },
      },
    },
    { timeoutMs: 10_000 },
  );
  return answer.status?.allowed === true;
}
