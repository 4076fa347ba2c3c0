import { describe, expect, test } from "vitest";
import { aPod, container } from "../testing/pods.ts";
import { resourceValue } from "./resource-ref.ts";

describe("resourceValue", () => {
  const pod = aPod({
    containers: [
      container("main", {
        resources: { limits: { cpu: "1500m", memory: "1Gi" }, requests: { memory: "64Mi" } },
      }),
      container("bare"),
    ],
  });
  const of = (containerName: string, resource: string, divisor?: string) =>
    resourceValue(
      pod,
      { containerName, resource, ...(divisor === undefined ? {} : { divisor }) },
      undefined,
      { cpu: "8", memory: "16Gi" },
    );
  test.each([
    ["main", "limits.cpu", undefined, "2"],
    ["main", "limits.cpu", "1m", "1500"],
    ["main", "limits.cpu", "0", "2"],
    ["main", "limits.memory", "1Mi", "1024"],
    ["main", "requests.memory", "1Ki", "65536"],
    ["main", "requests.cpu", "1m", "0"],
    ["bare", "limits.cpu", undefined, "8"],
    ["bare", "limits.memory", "1Gi", "16"],
    ["bare", "limits.ephemeral-storage", undefined, "0"],
  ])("%s %s / %s", (name, resource, divisor, value) =>
    expect(of(name, resource, divisor)).toEqual({ value }),
  );

  test("a limit that only the pod has stands for its containers", () => {
    const limited = { ...pod, spec: { ...pod.spec!, resources: { limits: { cpu: "3" } } } };
    const limit = (resource: string) =>
      resourceValue(limited, { containerName: "bare", resource }, undefined, { cpu: "8" });
    expect(limit("limits.cpu")).toEqual({ value: "3" });
    expect(limit("requests.cpu")).toEqual({ value: "0" });
  });

  test("says which container or resource does not exist", () => {
    expect(of("nobody", "limits.cpu")).toEqual({ problem: "container nobody not found" });
    expect(of("main", "cpu")).toHaveProperty("problem");
  });
});
