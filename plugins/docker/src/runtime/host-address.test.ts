import { expect, it } from "vitest";
import { findHostAddress, hostAddress } from "./host-address.ts";

const HEAD = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT";
const TABLE = `${HEAD}
docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
wlan0\t00000000\t0100A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0
eth0\t00000000\t0100000A\t0003\t0\t0\t100\t00000000\t0\t0\t0
`;
const one = (address: string, family = "IPv4", internal = false) => ({ address, family, internal });
const interfaces = {
  lo: [one("127.0.0.1", "IPv4", true)],
  docker0: [one("172.17.0.1")],
  wlan0: [one("192.168.0.9")],
  eth0: [one("fe80::1", "IPv6"), one("10.0.0.9")],
};

it("is the address of the interface that leads outside, by the best route", () => {
  expect(hostAddress(TABLE, interfaces)).toBe("10.0.0.9");
  expect(hostAddress(TABLE, { ...interfaces, eth0: undefined })).toBe("192.168.0.9");
  expect(hostAddress(HEAD, interfaces)).toBeUndefined();
  expect(hostAddress("", {})).toBeUndefined();
});

it("is in the address of an engine elsewhere, if that is no name", async () => {
  const tcp = (origin: string) => findHostAddress({ kind: "tcp", origin });
  expect(await tcp("http://192.0.2.4:2375")).toBe("192.0.2.4");
  expect(await tcp("https://[2001:db8::1]:2376")).toBe("2001:db8::1");
  expect(await tcp("http://engine.test:2375")).toBeUndefined();
});
