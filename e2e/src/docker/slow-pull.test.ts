import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { request } from "undici";
import { expect, it, onTestFinished } from "vitest";
import { describeRegistries } from "../systems/describe-system.ts";
import { makeBusyboxImage, pushImage, untagImage } from "../systems/images.ts";
import { waitUntil } from "../systems/wait-until.ts";
import { ProviderFixture } from "./provider-fixture.ts";

/** How long a layer takes: longer than pulls that are told by their events alone. */
const LAYER_MS = 15_000;
const PIECES = 150;

/** A slow line to a registry: layers come bit by bit. */
async function slowLine(registry: string): Promise<{ address: string; server: Server }> {
  const server = createServer((asked, answer) => {
    const pass = async (): Promise<void> => {
      const { statusCode, headers, body } = await request(`http://${registry}${asked.url}`, {
        method: asked.method === "HEAD" ? "HEAD" : "GET",
        headers: { accept: asked.headers.accept ?? "*/*" },
      });
      const { connection: _, ...kept } = headers;
      answer.writeHead(statusCode, kept as Record<string, string>);
      const bytes = Buffer.from(await body.arrayBuffer());
      const isLayer = bytes.length > 100_000;
      const size = isLayer ? Math.ceil(bytes.length / PIECES) : bytes.length;
      for (let at = 0; at < bytes.length; at += size) {
        answer.write(bytes.subarray(at, at + size));
        if (isLayer) await delay(LAYER_MS / PIECES);
      }
      answer.end();
    };
    pass().catch((error: unknown) => answer.destroy(error as Error));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}

describeRegistries("a pull that takes long", (engine) => {
  it("tells in the waiting container how far it is", async () => {
    await using fixture = await ProviderFixture.open(engine.host);
    const { address, server } = await slowLine(engine.registry);
    const name = `test/${randomUUID()}:latest`;
    const image = `${address}/${name}`;
    onTestFinished(async () => {
      server.closeAllConnections();
      server.close();
    });
    await makeBusyboxImage(fixture.engine, `${engine.registry}/${name}`);
    await pushImage(fixture.engine, `${engine.registry}/${name}`);
    await untagImage(fixture.engine, `${engine.registry}/${name}`);

    const data = await fixture.create({
      containers: [{ name: "main", image, command: ["echo", "pulled"] }],
    });
    const message = await waitUntil("it is told", async () => {
      const { waiting } = (await fixture.container(data, "main"))?.state ?? {};
      return waiting?.reason === "ContainerCreating" && waiting.message;
    });
    expect(message).toMatch(/^Pulling image "[^"]+": \d of \d layers fetched, [\d.]+ (?:kB|MB)$/);
    expect(message).toContain(image);
    await fixture.ended(data);
    expect(await fixture.log(data)).toBe("pulled\n");
    await fixture.remove(data, 0);
    await untagImage(fixture.engine, image);
  });
});
