import pino from "pino";
import { expect, it } from "vitest";
import { FakeEngine, json } from "../testing/fake-engine.ts";
import { ChangeFeed } from "./change-feed.ts";

const event = (uid: string): string =>
  `${JSON.stringify({ Action: "die", Actor: { Attributes: { "interlink.pod.uid": uid } } })}\n`;

it("tells changes, and after a break names every pod anew", async () => {
  let connections = 0;
  await using engine = await FakeEngine.open((_, response, url) => {
    if (url.pathname.endsWith("/containers/json")) {
      const uid = `known-${connections}`;
      json(response, 200, [{ Id: "x", State: "running", Labels: { "interlink.pod.uid": uid } }]);
      return;
    }
    connections++;
    response.writeHead(200);
    response.write(event(`told-${connections}`));
    // The first connection breaks.
    if (connections === 1) setImmediate(() => response.destroy());
  });
  const feed = new ChangeFeed(engine.client, "p", pino({ level: "silent" }), () => 0);
  const heard: string[] = [];
  const end = feed.listen(({ uid }) => heard.push(uid));
  await expect
    .poll(() => heard, { timeout: 30_000 })
    .toEqual(expect.arrayContaining(["known-2", "told-2"]));
  end();
  await feed.close();
});

it("stays away from the engine while nobody listens, and can be listened to again", async () => {
  await using engine = await FakeEngine.open((_, response, url) => {
    if (url.pathname.endsWith("/containers/json")) return json(response, 200, []);
    response.writeHead(200);
    response.write(event("u"));
  });
  const feed = new ChangeFeed(engine.client, "p", pino({ level: "silent" }), () => 0);
  expect(engine.asked).toEqual([]);
  for (const round of [1, 2]) {
    const heard: string[] = [];
    const end = feed.listen(({ uid }) => heard.push(uid));
    await expect.poll(() => heard).toEqual(["u"]);
    expect(engine.asked.filter((one) => one === "GET /events")).toHaveLength(round);
    end();
  }
  await feed.close();
});

it.each([
  ["die", "sandbox", true],
  ["died", "sandbox", true],
  ["start", "sandbox", undefined],
  ["die", "regular", undefined],
])("tells of %s of a %s container whether a sandbox has ended", async (Action, kind, expected) => {
  await using engine = await FakeEngine.open((_, response, url) => {
    if (url.pathname.endsWith("/containers/json")) return json(response, 200, []);
    response.writeHead(200);
    const Attributes = { "interlink.pod.uid": "u", "interlink.kind": kind };
    response.write(`${JSON.stringify({ Action, Actor: { ID: "i", Attributes } })}\n`);
  });
  const feed = new ChangeFeed(engine.client, "p", pino({ level: "silent" }), () => 0);
  const heard: unknown[] = [];
  const end = feed.listen((change) => heard.push(change.sandboxEnded));
  await expect.poll(() => heard).toEqual([expected]);
  end();
  await feed.close();
});
