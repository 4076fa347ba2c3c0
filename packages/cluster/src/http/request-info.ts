/**
 * What a path and a method ask for (`k8s.io/apiserver/pkg/endpoints/request/requestinfo.go`): the verb and the resource
 * that authorization and routing speak about.
 */
export interface ResourceRequest {
  readonly isResource: true;
  readonly verb: ResourceVerb;
  readonly group: string;
  readonly version: string;
  readonly namespace: string | undefined;
  readonly resource: string;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
  /** What follows the subresource (`nodes/NAME/proxy/...`). */
  readonly rest: string;
}

export interface PathRequest {
  readonly isResource: false;
  readonly verb: string;
  readonly path: string;
}

export type RequestInfo = ResourceRequest | PathRequest;

export type ResourceVerb =
  | "get"
  | "list"
  | "watch"
  | "create"
  | "update"
  | "patch"
  | "delete"
  | "deletecollection";

const namespaceSubresources = new Set(["status", "finalize"]);

function verbOf(method: string, named: boolean, watching: boolean): ResourceVerb | undefined {
  switch (method) {
    case "GET":
    case "HEAD":
      if (watching) return "watch";
      return named ? "get" : "list";
    case "POST":
      return "create";
    case "PUT":
      return "update";
    case "PATCH":
      return "patch";
    case "DELETE":
      return named ? "delete" : "deletecollection";
    default:
      return undefined;
  }
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

export function parseRequest(method: string, url: URL): RequestInfo {
  const other: PathRequest = { isResource: false, verb: method.toLowerCase(), path: url.pathname };
  const segments = url.pathname.split("/").slice(1).map(decode);
  const isCore = segments[0] === "api";
  const prefix = isCore ? 2 : 3;
  if (!isCore && segments[0] !== "apis") return other;
  const parts = segments.slice(prefix);
  if (parts.length > 0 && parts.at(-1) === "") parts.pop();
  if (parts.length === 0) return other;
  const [group, version] = isCore
    ? ["", segments[1] ?? ""]
    : [segments[1] ?? "", segments[2] ?? ""];

  let namespace: string | undefined;
  if (parts[0] === "namespaces" && parts.length >= 2) {
    namespace = parts[1];
    if (parts.length > 2 && !(parts.length === 3 && namespaceSubresources.has(parts[2] ?? ""))) {
      parts.splice(0, 2);
    }
  }
  const [resource = "", name, subresource, ...rest] = parts;
  const flag = url.searchParams.get("watch");
  const watching = flag !== null && flag !== "false" && flag !== "0" && subresource === undefined;
  const verb = verbOf(method, name !== undefined, watching);
  if (!verb) return other;
  return {
    isResource: true,
    verb,
    group,
    version,
    namespace,
    resource,
    name,
    subresource,
    rest: rest.join("/"),
  };
}
