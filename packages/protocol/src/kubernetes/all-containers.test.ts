import type { ContainerStatus } from "kubernetes-types/core/v1.js";
import { expect, test } from "vitest";
import { allContainers, allRemoteStatuses, allStatuses } from "./all-containers.ts";

const status = (name: string): ContainerStatus => ({
  name,
  image: "a",
  imageID: "",
  ready: true,
  restartCount: 0,
});
const names = (all: readonly { name: string }[]): string[] => all.map(({ name }) => name);

test("all containers of a pod are its init containers, the others and the ephemeral ones", () => {
  const spec = {
    containers: [{ name: "main" }, { name: "side" }],
    initContainers: [{ name: "init" }],
    ephemeralContainers: [{ name: "debug" }],
  };
  expect(names(allContainers({ spec }))).toEqual(["init", "main", "side", "debug"]);
  expect(names(allContainers({ spec: { containers: [{ name: "main" }] } }))).toEqual(["main"]);
  expect(allContainers({})).toEqual([]);
});

test("what Kubernetes and a site tell of them comes in the same order", () => {
  const told = {
    containerStatuses: [status("main")],
    initContainerStatuses: [status("init")],
    ephemeralContainerStatuses: [status("debug")],
  };
  expect(names(allStatuses(told))).toEqual(["init", "main", "debug"]);
  expect(allStatuses(undefined)).toEqual([]);
  const remote = {
    name: "p",
    UID: "u",
    namespace: "n",
    JID: "1",
    containers: [status("main")],
    initContainers: [status("init")],
  };
  expect(names(allRemoteStatuses(remote))).toEqual(["init", "main"]);
  const extension = { ephemeralContainers: [status("debug")] } as never;
  expect(names(allRemoteStatuses({ ...remote, extension }))).toEqual(["init", "main", "debug"]);
});
