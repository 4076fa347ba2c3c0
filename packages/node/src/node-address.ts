import { networkInterfaces } from "node:os";

/** The address under which this machine is reached: the first that is not loopback, IPv4 first; else loopback. */
export function ownAddress(
  interfaces: ReturnType<typeof networkInterfaces> = networkInterfaces(),
): string {
  const all = Object.values(interfaces).flatMap((list) => list ?? []);
  const outside = all.filter(
    ({ internal, address }) => !internal && !/^(?:169\.254\.|fe80:)/i.test(address),
  );
  return (
    outside.find(({ family }) => family === "IPv4")?.address ?? outside[0]?.address ?? "127.0.0.1"
  );
}
