import { once } from "node:events";
import { type AddressInfo, connect, type Socket } from "node:net";
import { createServer } from "node:tls";
import { CertificateAuthority } from "@interlink/cluster";

export interface TlsFront extends AsyncDisposable {
  /** On localhost. */
  port: number;
  /** PEM; what the front's certificate is to be checked with. */
  authority: string;
}

/** Ends TLS, by these names, in front of a port that speaks none: no program of the test image does. */
export async function tlsFront(
  host: string,
  port: number,
  names: readonly string[],
): Promise<TlsFront> {
  const now = Date.now();
  const authority = await CertificateAuthority.create("front", now);
  const request = { commonName: "front", hosts: names };
  const { keyPem, certificatePem } = await authority.issue(request, now);
  const sockets = new Set<Socket>();
  const server = createServer({ key: keyPem, cert: certificatePem }, (outer) => {
    const inner = connect(port, host);
    for (const [one, other] of [
      [outer, inner],
      [inner, outer],
    ] as const) {
      sockets.add(one);
      one.on("error", () => other.destroy());
      one.on("close", () => {
        sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  });
  server.listen(0, "localhost");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    authority: authority.certificatePem,
    [Symbol.asyncDispose]: async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, "close");
    },
  };
}
