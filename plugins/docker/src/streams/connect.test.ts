import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { PassThrough } from "node:stream";
import { buffer } from "node:stream/consumers";
import type { ProcessEnd, ProcessStreams } from "@interlink/protocol";
import { expect, it, onTestFinished } from "vitest";
import { loopbackAddress } from "../sandbox/relay-binary.ts";
import { connect } from "./connect.ts";

const { signal } = new AbortController();
const CONNECTED = "c";

interface Relay extends ProcessStreams {
  stdin: PassThrough;
  stdout: PassThrough;
  end: (end: ProcessEnd) => void;
  closed: boolean;
}

/** The relay program as the engine would run it, played by the test. */
function relay(): Relay {
  let settle: (end: ProcessEnd) => void = () => undefined;
  const ended = new Promise<ProcessEnd>((resolve) => {
    settle = resolve;
  });
  const one: Relay = {
    stdin: new PassThrough(),
    stdout: new PassThrough(),
    ended,
    closed: false,
    resize: () => undefined,
    close: () => {
      one.closed = true;
      one.stdout.destroy();
      settle({ error: "let go" });
    },
    end: (end) => {
      one.stdout.end();
      settle(end);
    },
  };
  return one;
}

function pod(act: (relay: Relay, count: number) => void, address?: string) {
  const relays: Relay[] = [];
  const openRelay = (): Promise<ProcessStreams> => {
    const one = relay();
    relays.push(one);
    setImmediate(() => act(one, relays.length));
    return Promise.resolve(one);
  };
  return { relays, target: { port: 80, openRelay, address: () => Promise.resolve(address) } };
}

it("hands over bytes both ways once the relay has connected", async () => {
  const { relays, target } = pod((one) => one.stdout.write(`${CONNECTED}hel`));
  const connection = await connect(target, signal);
  const [one] = relays;
  one?.stdout.write("lo");
  connection.end("ask");
  one?.end({ exitCode: 0 });
  expect((await buffer(connection)).toString()).toBe("hello");
  const sent = await buffer(one?.stdin ?? new PassThrough());
  expect(sent).toEqual(Buffer.concat([loopbackAddress("IPv4", 80), Buffer.from("ask")]));
});

it("tries IPv6 when IPv4 is refused", async () => {
  const { relays, target } = pod((one, count) => {
    if (count === 1) one.end({ exitCode: 111 });
    else one.stdout.write(CONNECTED);
  });
  const connection = await connect(target, signal);
  expect(relays[1]?.stdin.read()).toEqual(loopbackAddress("IPv6", 80));
  connection.destroy();
  expect(relays[1]?.closed).toBe(true);
});

it.each([
  ["nobody listens", { exitCode: 111 }, "Nothing listens on port 80"],
  ["the system refuses otherwise", { exitCode: 13 }, "error 13"],
  ["the engine fails", { error: "engine away" }, "engine away"],
])("says so when %s", async (_, end, words) => {
  const { target } = pod((one) => one.end(end));
  const opening = connect(target, signal);
  await expect(opening).rejects.toMatchObject({
    code: "NotRunning",
    message: expect.stringContaining(words) as string,
  });
});

it("breaks the connection when the relay breaks", async () => {
  const { relays, target } = pod((one) => one.stdout.write(CONNECTED));
  const connection = await connect(target, signal);
  relays[0]?.end({ exitCode: 104 });
  await expect(once(connection, "close")).rejects.toThrow("error 104");
});

it("lets go of the relay when the caller goes before it has connected", async () => {
  const leaving = new AbortController();
  const { relays, target } = pod(() => leaving.abort(new Error("the caller has gone")));
  await expect(connect(target, leaving.signal)).rejects.toThrow("the caller has gone");
  expect(relays[0]?.closed).toBe(true);
});

it("goes to the pod's address when its sandbox has no relay", async () => {
  const server = createServer((socket) => socket.end("from the pod"));
  onTestFinished(() => void server.close());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const { target } = pod((one) => one.end({ exitCode: 127 }), "127.0.0.1");
  const connection = await connect({ ...target, port }, signal);
  connection.end();
  expect((await buffer(connection)).toString()).toBe("from the pod");
  const { target: unreachable } = pod((one) => one.end({ exitCode: 126 }));
  await expect(connect(unreachable, signal)).rejects.toMatchObject({ code: "NotRunning" });
});
