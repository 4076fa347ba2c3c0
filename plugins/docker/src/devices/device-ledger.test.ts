import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import type { Pod } from "kubernetes-types/core/v1.js";
import { afterEach, beforeEach, expect, it } from "vitest";
import { DeviceLedger } from "./device-ledger.ts";

const R = "site.test/thing";
const INVENTORY = [{ resource: R, units: ["0", "1", "2"].map((id) => ({ id })) }];

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ledger-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

const open = (name = "devices.json") => DeviceLedger.open(join(folder, name), INVENTORY);
const pod = (uid: string, count: number): Pod => ({
  metadata: { uid },
  spec: { containers: [{ name: "main", resources: { limits: { [R]: String(count) } } }] },
});

it("gives the same each time, also after a restart", async () => {
  const ledger = await open();
  await ledger.assign(pod("a", 1));
  await ledger.assign(pod("b", 1));
  await ledger.assign(pod("b", 1));
  expect(ledger.of("b", "main")).toEqual({ [R]: ["1"] });
  const again = await open();
  await again.assign(pod("b", 1));
  expect(again.of("b", "main")).toEqual({ [R]: ["1"] });
  expect(again.of("a", "main")).toEqual({ [R]: ["0"] });
  expect(again.of("none", "main")).toEqual({});
});

it("lets a pod wait until another has let go", async () => {
  const ledger = await open();
  await ledger.assign(pod("a", 2));
  await expect(ledger.assign(pod("b", 2))).rejects.toMatchObject({
    code: "CreateFailed",
    message: expect.stringContaining(`unavailable for ${R}. Requested: 2, Available: 1`) as string,
  });
  await ledger.release("a");
  await ledger.assign(pod("b", 2));
  expect(ledger.of("b", "main")).toEqual({ [R]: ["0", "1"] });
});

it("would rather not start than guess who has what", async () => {
  await writeFile(join(folder, "devices.json"), "{ half");
  await expect(open()).rejects.toThrow("cannot be read. When no pod with devices runs any more");
});

it("never gives one unit to two pods, whatever comes at once, with restarts between", async () => {
  const step = fc.record({
    uid: fc.constantFrom("a", "b", "c", "d"),
    count: fc.integer({ min: 0, max: 3 }),
    what: fc.constantFrom("assign", "release", "restart"),
  });
  let run = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(step, { maxLength: 5 }), { maxLength: 5 }),
      async (rounds) => {
        const name = `run-${(run += 1)}.json`;
        let ledger = await open(name);
        for (const round of rounds) {
          await Promise.allSettled(
            round.map(({ uid, count, what }) =>
              what === "assign" ? ledger.assign(pod(uid, count)) : ledger.release(uid),
            ),
          );
          if (round.some(({ what }) => what === "restart")) ledger = await open(name);
          const held = ["a", "b", "c", "d"].flatMap((uid) => ledger.of(uid, "main")[R] ?? []);
          expect(new Set(held).size).toBe(held.length);
          const onDisk = await open(name);
          for (const uid of ["a", "b", "c", "d"]) {
            expect(onDisk.of(uid, "main")).toEqual(ledger.of(uid, "main"));
          }
        }
      },
    ),
    { numRuns: 25 },
  );
});
