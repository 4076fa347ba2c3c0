import { expect, it } from "vitest";
import { requestAttributes } from "./request-attributes.ts";

it.each([
  ["GET", "/containerLogs/ns/p/c", "get", ["proxy"]],
  ["POST", "/exec/ns/p/c", "create", ["proxy"]],
  ["GET", "/metrics", "get", ["metrics"]],
  ["GET", "/metrics/resource", "get", ["metrics"]],
  ["GET", "/stats/summary", "get", ["stats"]],
  ["GET", "/logs/", "get", ["log"]],
  ["GET", "/pods", "get", ["pods", "proxy"]],
  ["GET", "/runningpods/", "get", ["pods", "proxy"]],
  ["GET", "//pods", "get", ["pods", "proxy"]],
  ["GET", "/metricsx", "get", ["proxy"]],
  ["DELETE", "/anything", "delete", ["proxy"]],
])("%s %s needs %s on %j", (method, path, verb, subresources) => {
  expect(requestAttributes(method, path)).toEqual({ verb, subresources });
});
