import { describe, expect, it } from "vitest";
import { hostIPs, podIPs } from "./addresses.ts";

describe("addresses of a pod", () => {
  it("are one per family, the first of each", () => {
    expect(podIPs(["10.0.0.1", undefined, "10.0.0.2", "fd00::1"])).toEqual(["10.0.0.1", "fd00::1"]);
  });

  it.each(["127.0.0.1", "169.254.1.1", "0.0.0.0", "::1", "fe80::1", "a name", ""])(
    "are not %j",
    (ip) => {
      expect(podIPs([ip])).toEqual([]);
    },
  );
});

describe("addresses of the host", () => {
  it("may be loopback ones", () => {
    expect(hostIPs(["127.0.0.1", "::1"])).toEqual(["127.0.0.1", "::1"]);
  });

  it("are addresses, not names", () => {
    expect(hostIPs(["node.example", "10.0.0.1"])).toEqual(["10.0.0.1"]);
  });
});
