import { expect, it } from "vitest";
import { nextNewsAt, pullingMessage } from "./pull-news.ts";

it("tells of a long pull soon, and then less and less often", () => {
  const times: number[] = [];
  let told: number | undefined;
  for (let i = 0; i < 7; i++) {
    told = nextNewsAt(1000, told);
    times.push((told - 1000) / 1000);
  }
  expect(times).toEqual([10, 20, 40, 80, 140, 200, 260]);
});

it.each([
  [
    { layers: { fetched: 2, total: 5 }, bytes: 120_040_000 },
    'Pulling image "a": 2 of 5 layers fetched, 120.0 MB',
  ],
  [
    { layers: { fetched: 0, total: 1 }, bytes: 32_768 },
    'Pulling image "a": 0 of 1 layers fetched, 32.8 kB',
  ],
  [
    { layers: { fetched: 9, total: 9 }, bytes: 12_340_000_000 },
    'Pulling image "a": 9 of 9 layers fetched, 12.3 GB',
  ],
  [{ layers: { fetched: 1, total: 3 } }, 'Pulling image "a": 1 of 3 layers fetched'],
])("says of %j: %s", (progress, message) => {
  expect(pullingMessage("a", progress)).toBe(message);
});
