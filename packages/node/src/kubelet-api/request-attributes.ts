/** What a request to the kubelet API needs permission for. */
export interface RequestAttributes {
  verb: string;
  /** Subresources of `nodes/NAME`; the first that is allowed is enough. */
  subresources: string[];
}

const verbs: Readonly<Record<string, string>> = {
  GET: "get",
  HEAD: "get",
  POST: "create",
  PUT: "update",
  PATCH: "patch",
  DELETE: "delete",
};

/** By the kubelet's table (`pkg/kubelet/server/auth.go`): the narrow permission of newer clusters first, then `proxy`. */
export function requestAttributes(method: string, path: string): RequestAttributes {
  const [first = ""] = path.split("/").filter((part) => part !== "");
  return { verb: verbs[method] ?? method.toLowerCase(), subresources: subresourcesOf(first) };
}

function subresourcesOf(first: string): string[] {
  switch (first) {
    case "stats":
      return ["stats"];
    case "metrics":
      return ["metrics"];
    case "logs":
      return ["log"];
    case "checkpoint":
      return ["checkpoint"];
    case "pods":
    case "runningpods":
      return ["pods", "proxy"];
    case "healthz":
      return ["healthz", "proxy"];
    case "configz":
      return ["configz", "proxy"];
    default:
      return ["proxy"];
  }
}
