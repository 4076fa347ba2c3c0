import { describe, expect, test } from "vitest";
import { takeTurn } from "./take-turn.ts";
import { turnOf } from "./turn-of.ts";
import { admit, type Turn, Turns } from "./turns.ts";

const engines: Turn = { things: ["engines"], seats: 1 };
const slurm: Turn = { things: ["slurm"], seats: 1 };
const both: Turn = { things: ["engines", "slurm"], seats: 1 };
const free: Turn = { things: [], seats: 1 };
const alone: Turn = { things: [], seats: Number.MAX_SAFE_INTEGER };

describe("who may begin", () => {
  test.each<[string, Turn[], Turn[], Turn[]]>([
    ["as many as there are seats", [], [free, free, free], [free, free]],
    ["none while all seats are taken", [free, free], [engines], []],
    ["one at a time of those that use the same", [], [engines, engines], [engines]],
    ["nobody beside who uses all that it uses", [both], [slurm, engines], []],
    ["nobody before an earlier one that needs the same", [engines], [both, slurm], []],
    ["one that is behind another that cannot yet", [engines], [both, slurm, free], [free]],
    ["one that is alone, once nobody else runs", [], [alone, free], [alone]],
    ["nobody beside one that is alone", [alone], [free], []],
    ["nobody before one that waits to be alone", [free], [alone, free], []],
  ])("%s", (_title, running, waiting, expected) => {
    expect(admit(running, waiting, 2)).toEqual(expected);
  });
});

test("the next one's turn comes with the end of the connection before it", async () => {
  await using turns = await Turns.open(2);
  const first = await takeTurn(turns.address, engines);
  const order: string[] = [];
  const second = takeTurn(turns.address, engines).then((socket) => {
    order.push("second");
    return socket;
  });
  const other = await takeTurn(turns.address, slurm);
  order.push("first is over");
  first.destroy();
  (await second).destroy();
  other.destroy();
  expect(order).toEqual(["first is over", "second"]);
});

test("who waits when the run ends is told so", async () => {
  const turns = await Turns.open(1);
  const first = await takeTurn(turns.address, free);
  const second = takeTurn(turns.address, free);
  const refused = expect(second).rejects.toThrow("The test run is over");
  await turns[Symbol.asyncDispose]();
  await refused;
  first.destroy();
});

test.each([
  ["/any/where/e2e/src/docker/crash.test.ts", ["engines"]],
  ["e2e/src/slurm/site.test.ts", ["slurm"]],
  ["e2e/src/conformance/conformance.test.ts", ["engines", "slurm"]],
  ["e2e/src/crash.test.ts", []],
])("%s uses %j", (path, things) => {
  expect(turnOf(path).things).toEqual(things);
});
