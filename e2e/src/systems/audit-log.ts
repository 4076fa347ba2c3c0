import { readFile } from "node:fs/promises";

/** What kube-apiserver notes: what virtual nodes ask, in whichever way they call themselves. */
export const auditPolicy = {
  apiVersion: "audit.k8s.io/v1",
  kind: "Policy",
  omitStages: ["RequestReceived"],
  rules: [
    { level: "Metadata", userGroups: ["system:nodes", "system:serviceaccounts:interlink"] },
    { level: "None" },
  ],
};

/** One request as the API server saw and judged it. */
export interface ServerRequest {
  user: string;
  verb: string;
  group: string;
  /** `pods`, `pods/status`; empty for a path that is no resource. */
  resource: string;
  namespace: string;
  /** Of the object, or of the one that a field selector names. */
  name: string;
  /** With its query. */
  path: string;
  code: number;
}

interface AuditEvent {
  stage: string;
  auditID: string;
  verb: string;
  requestURI: string;
  user: { username: string };
  objectRef?: {
    apiGroup?: string;
    resource?: string;
    subresource?: string;
    namespace?: string;
    name?: string;
  };
  responseStatus?: { code?: number };
}

/** Everything in the log so far, each request once. */
export async function readAuditLog(file: string): Promise<ServerRequest[]> {
  const lines = (await readFile(file, "utf8")).split("\n").slice(0, -1);
  // A watch is there twice: when it was answered, and when it ended.
  const byId = new Map(
    lines.map((line) => {
      const event = JSON.parse(line) as AuditEvent;
      return [event.auditID, requestOf(event)];
    }),
  );
  return [...byId.values()];
}

function requestOf({ verb, requestURI, user, objectRef = {}, responseStatus }: AuditEvent) {
  const { apiGroup = "", resource = "", subresource, namespace = "", name = "" } = objectRef;
  return {
    user: user.username,
    verb,
    group: apiGroup,
    resource: subresource === undefined ? resource : `${resource}/${subresource}`,
    namespace,
    name,
    path: requestURI,
    code: responseStatus?.code ?? 0,
  };
}
