import type { IncomingMessage } from "node:http";
import type { Authorizer } from "./authorize.ts";
import { refusal } from "./authorize.ts";
import { authenticated, type Identity } from "./identity.ts";

/** `kubectl --as`: the identity of the Impersonate headers, when the caller may take it. Throws 403. */
export function impersonated(
  authorizer: Authorizer,
  caller: Identity,
  request: IncomingMessage,
): Identity {
  const username = single(request.headers["impersonate-user"]);
  if (username === undefined) return caller;
  const groups = request.headersDistinct["impersonate-group"] ?? [];
  const serviceAccount = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(username);
  const wanted = [
    serviceAccount
      ? {
          resource: "serviceaccounts",
          namespace: serviceAccount[1],
          name: serviceAccount[2],
        }
      : { resource: "users", namespace: undefined, name: username },
    ...groups.map((name) => ({ resource: "groups", namespace: undefined, name })),
  ];
  for (const item of wanted) {
    const attributes = { kind: "resource", verb: "impersonate", group: "", ...item } as const;
    if (!authorizer.decide(caller, attributes).allowed) throw refusal(caller, attributes);
  }
  const implied = serviceAccount
    ? ["system:serviceaccounts", `system:serviceaccounts:${serviceAccount[1]}`]
    : [];
  return authenticated({ username, groups: [...groups, ...(groups.length > 0 ? [] : implied)] });
}

function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}
