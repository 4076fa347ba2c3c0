/** Who makes a request. */
export interface Identity {
  readonly username: string;
  readonly groups: readonly string[];
  readonly uid?: string;
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

export const anonymous: Identity = {
  username: "system:anonymous",
  groups: ["system:unauthenticated"],
};

const authenticatedGroup = "system:authenticated";

export function authenticated(identity: Identity): Identity {
  if (identity.groups.includes(authenticatedGroup)) return identity;
  return { ...identity, groups: [...identity.groups, authenticatedGroup] };
}

export function serviceAccountIdentity(namespace: string, name: string, uid: string): Identity {
  return {
    username: `system:serviceaccount:${namespace}:${name}`,
    groups: ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, authenticatedGroup],
    uid,
  };
}
