import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { ProtocolError } from "@interlink/protocol";
import { type Logger, pino } from "pino";
import { expect, test } from "vitest";
import { fixture, send } from "../testing/go-caller.ts";
import { startSite } from "../testing/site.ts";

const body = fixture("status-request").body;

function log(): { logger: Logger; lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  const write = (line: string): void => {
    lines.push(JSON.parse(line) as Record<string, unknown>);
  };
  return { logger: pino({ level: "info" }, { write }), lines };
}

test("a caller over its rate is told when to ask again; others and health are not concerned", async () => {
  await using site = await startSite({
    rateLimit: { perSecond: 0.001, burst: 2 },
    authenticate: ({ headers }) => ({ name: String(headers["caller"]) }),
  });
  site.plugin.says("/status", "[]");
  const ask = (caller: string) => send(site.address, "GET", "/status", body, { caller });
  expect([(await ask("a")).code, (await ask("a")).code]).toEqual([200, 200]);
  const late = await ask("a");
  expect(late).toMatchObject({ code: 429, headers: { "retry-after": "1000" } });
  expect(late.body).toBe("too many requests; ask again after 1000 s");
  expect((await ask("b")).code).toBe(200);
  expect((await send(site.address, "GET", "/healthz", "", { caller: "a" })).code).toBe(200);
});

test("refusals are logged once, not once a request, and without what was shown", async () => {
  const { logger, lines } = log();
  await using site = await startSite({
    logger,
    authenticate() {
      throw new ProtocolError("refused", "this server does not know the bearer token", {
        httpStatus: 401,
      });
    },
  });
  for (let index = 0; index < 20; index++) {
    const authorization = `Bearer secret-${index}-0123456789`;
    const answer = await send(site.address, "GET", "/status", body, { authorization });
    expect(answer.code).toBe(401);
  }
  const refusals = lines.filter(({ msg }) => msg === "request refused");
  expect(refusals).toHaveLength(1);
  expect(refusals[0]).toMatchObject({ code: 401, path: "/status", from: "127.0.0.1" });
  expect(JSON.stringify(lines)).not.toContain("secret-");
});

/** A connection that has sent this, and what came back until it was closed. */
async function dripping(
  address: string,
  text: string,
): Promise<{ socket: Socket; closed: Promise<string> }> {
  const { hostname, port } = new URL(address);
  const socket = connect(Number(port), hostname);
  let answer = "";
  socket.on("data", (chunk) => (answer += String(chunk)));
  socket.on("error", () => undefined);
  const closed = new Promise<string>((resolve) => socket.once("close", () => resolve(answer)));
  await once(socket, "connect");
  socket.write(text);
  return { socket, closed };
}

test("connections that never finish a request are closed, and hold up nobody meanwhile", async () => {
  await using site = await startSite({ limits: { requestMs: 500 } });
  site.plugin.says("/status", "[]");
  const head = "POST /status HTTP/1.1\r\nhost: x\r\n";
  const slow = await Promise.all([
    ...Array.from({ length: 20 }, () => dripping(site.address, head)),
    ...Array.from({ length: 20 }, () =>
      dripping(
        site.address,
        `${head}content-type: application/json\r\ncontent-length: 99\r\n\r\n[`,
      ),
    ),
    // Nothing at all, and callers who will say no more but go on listening.
    ...Array.from({ length: 20 }, () => dripping(site.address, "")),
    ...Array.from({ length: 20 }, () =>
      dripping(site.address, head).then((half) => {
        half.socket.end();
        return half;
      }),
    ),
  ]);
  expect((await send(site.address, "GET", "/status", body)).code).toBe(200);
  const answers = await Promise.all(slow.map(({ closed }) => closed));
  for (const answer of answers) expect(answer).toMatch(/^(HTTP\/1\.1 40[08] |$)/);
}, 60_000);

test("more connections than the limit are closed at once; when others end there is room again", async () => {
  await using site = await startSite({ limits: { connections: 3 } });
  const held = await Promise.all([1, 2, 3].map(() => dripping(site.address, "GET ")));
  const one = await dripping(site.address, "GET ");
  expect(await one.closed).toBe("");
  for (const { socket } of held) socket.destroy();
  await Promise.all(held.map(({ closed }) => closed));
  const code = async () =>
    (await send(site.address, "GET", "/healthz").catch(() => ({ code: 0 }))).code;
  await expect.poll(code, { timeout: 20_000 }).toBe(200);
});
