import type { NetworkInterfaceInfo } from "node:os";
import { expect, it } from "vitest";
import { nextAddress } from "./follow-address.ts";

const one = (address: string): NetworkInterfaceInfo => ({
  address,
  family: "IPv4",
  internal: false,
  netmask: "255.255.255.0",
  mac: "00:00:00:00:00:00",
  cidr: null,
});

it("keeps the address while the machine has it, whatever else it has got", () => {
  expect(nextAddress("10.0.0.2", { a: [one("10.0.0.1")], b: [one("10.0.0.2")] })).toBe("10.0.0.2");
});

it("takes another one when the machine has it no longer", () => {
  expect(nextAddress("10.0.0.2", { a: [one("10.0.0.9")] })).toBe("10.0.0.9");
});
