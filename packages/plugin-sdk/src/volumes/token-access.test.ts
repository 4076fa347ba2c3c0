import type { PodSpec } from "kubernetes-types/core/v1.js";
import { expect, test } from "vitest";
import { tokenAccess } from "./token-access.ts";

const as = (runAsUser: number) => ({ securityContext: { runAsUser } });

test.each<[string, PodSpec, object]>([
  ["no user is named", { containers: [{ name: "a" }] }, {}],
  ["the pod names one", { containers: [{ name: "a" }], ...as(7) }, { mode: 0o600, uid: 7 }],
  [
    "every container names the same",
    {
      containers: [
        { name: "a", ...as(7) },
        { name: "b", ...as(7) },
      ],
    },
    { mode: 0o600, uid: 7 },
  ],
  [
    "containers name different ones",
    {
      containers: [
        { name: "a", ...as(7) },
        { name: "b", ...as(8) },
      ],
    },
    {},
  ],
  ["one container names none", { containers: [{ name: "a", ...as(7) }, { name: "b" }] }, {}],
  [
    "an init container differs",
    { initContainers: [{ name: "i", ...as(0) }], containers: [{ name: "a", ...as(7) }] },
    {},
  ],
  ["it is root", { containers: [{ name: "a", ...as(0) }] }, { mode: 0o600, uid: 0 }],
  [
    "there is a group only",
    { containers: [{ name: "a" }], securityContext: { fsGroup: 5 } },
    { mode: 0o600 },
  ],
])("a token's owner and mode when %s", (_name, spec, expected) => {
  expect(tokenAccess({ spec })).toEqual(expected);
});
