import { describe, expect, test } from "vitest";
import {
  checkNodeFlags,
  parseApiAddress,
  parseLabels,
  parseRate,
  parseResources,
  parseSeconds,
  parseTaints,
} from "./node-flags.ts";

describe("labels and taints of the command line", () => {
  test("labels are key=value, and the value may hold an equals sign", () => {
    expect(parseLabels(["a=b", "x/y=", "c=d=e"])).toEqual({ a: "b", "x/y": "", c: "d=e" });
    expect(() => parseLabels(["a"])).toThrow(/give key=value/);
  });

  test("taints are written as kubectl writes them", () => {
    expect(parseTaints(["a=b:NoSchedule", "c:NoExecute", "d=:PreferNoSchedule"])).toEqual([
      { key: "a", value: "b", effect: "NoSchedule" },
      { key: "c", effect: "NoExecute" },
      { key: "d", value: "", effect: "PreferNoSchedule" },
    ]);
    for (const wrong of ["a", "a=b", "a=b:Never", ":NoSchedule"]) {
      expect(() => parseTaints([wrong])).toThrow(/give key=value:effect/);
    }
  });
});

test("the address of the API for pods is host and port, and nothing else", () => {
  expect(parseApiAddress("api.example.org:6443")).toEqual({ host: "api.example.org", port: 6443 });
  expect(parseApiAddress("[fd00::1]:443")).toEqual({ host: "fd00::1", port: 443 });
  for (const wrong of [
    "https://api:6443",
    "api",
    "api:0",
    "api:65536",
    ":6443",
    "fd00::1:443",
    "",
  ]) {
    expect(() => parseApiAddress(wrong), wrong).toThrow(/give host:port/);
  }
});

test("further resources are name=quantity", () => {
  expect(parseResources(["nvidia.com/gpu=4", "hugepages-2Mi=1Gi"])).toEqual({
    "nvidia.com/gpu": "4",
    "hugepages-2Mi": "1Gi",
  });
  for (const wrong of ["a", "a=", "a=b", "=1"]) {
    expect(() => parseResources([wrong]), wrong).toThrow(/give name=quantity/);
  }
});

test("seconds are a whole number, more than none", () => {
  expect(parseSeconds("600", "--not-ready-after")).toBe(600);
  for (const wrong of ["0", "-1", "1.5", "10m", ""]) {
    expect(() => parseSeconds(wrong, "--not-ready-after"), wrong).toThrow(/--not-ready-after/);
  }
});

test("a rate is a number per second, and a burst of twice as many unless told", () => {
  expect(parseRate("event", undefined, undefined)).toBeUndefined();
  expect(parseRate("event", "50", undefined)).toEqual({ perSecond: 50, burst: 100 });
  expect(parseRate("event", "0.1", undefined)).toEqual({ perSecond: 0.1, burst: 1 });
  expect(parseRate("event", "5", "10")).toEqual({ perSecond: 5, burst: 10 });
  expect(() => parseRate("event", undefined, "10")).toThrow(/--event-burst needs --event-qps/);
  for (const wrong of ["0", "-1", "x", ""]) {
    expect(() => parseRate("event", wrong, "1"), wrong).toThrow(/--event-qps/);
    expect(() => parseRate("event", "1", wrong), wrong).toThrow(/--event-burst/);
  }
});

describe("flags of the node", () => {
  test("what a cluster would take is taken", () => {
    checkNodeFlags({
      name: "hpc-1.example.org",
      address: "::1",
      cpu: "500m",
      memory: "1.5Gi",
      pods: "1k",
    });
  });

  test.each([
    [{ name: "Bad_Name" }, /--name "Bad_Name"/],
    [{ name: "a..b" }, /--name/],
    [{ name: "a".repeat(254) }, /--name/],
    [{ name: "a", address: "host.example.org" }, /--address "host.example.org": give an IP/],
    [{ name: "a", cpu: "many" }, /--cpu "many"/],
    [{ name: "a", memory: "" }, /--memory ""/],
  ])("%o is refused before anything starts", (flags, sentence) => {
    expect(() => checkNodeFlags(flags)).toThrow(sentence);
  });
});
