import type { ContainerPort } from "kubernetes-types/core/v1.js";
import { expect, test } from "vitest";
import { checkPorts } from "./check-ports.ts";

const check = (...ports: ContainerPort[]) =>
  checkPorts({ spec: { containers: [{ name: "main", ports }] } });

test("a hostPort that is the container's own port, or none, is fine", () => {
  check({ containerPort: 80 }, { containerPort: 81, hostPort: 81 });
  checkPorts({});
});

test("a hostPort that would have to be forwarded is refused, with what to do", () => {
  expect(() => check({ containerPort: 80, hostPort: 8080 })).toThrow(
    'Container "main" wants its port 80 as hostPort 8080, but processes use the host\'s ports as they are: let it listen on 8080, or leave hostPort out.',
  );
});
