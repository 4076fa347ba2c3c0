import { expect, it } from "vitest";
import { PullTally } from "./pull-progress.ts";

/** Recorded from Docker 20.10, and shortened. */
const DOCKER = [
  { status: "Pulling from library/a", id: "latest" },
  { status: "Already exists", progressDetail: {}, id: "000" },
  { status: "Pulling fs layer", progressDetail: {}, id: "d1d" },
  { status: "Pulling fs layer", progressDetail: {}, id: "e2e" },
  { status: "Waiting", progressDetail: {}, id: "e2e" },
  { status: "Downloading", progressDetail: { current: 32768, total: 1087988 }, id: "d1d" },
  { status: "Verifying Checksum", progressDetail: {}, id: "d1d" },
  { status: "Download complete", progressDetail: {}, id: "d1d" },
  { status: "Extracting", progressDetail: { current: 32768, total: 1087988 }, id: "d1d" },
  { status: "Pull complete", progressDetail: {}, id: "d1d" },
  { status: "Downloading", progressDetail: { current: 500, total: 1000 }, id: "e2e" },
  { status: "Digest: sha256:c21c" },
  { status: "Status: Downloaded newer image for a:latest" },
];

it("adds up what has come of each layer", () => {
  const tally = new PullTally();
  const told = DOCKER.map((record) => tally.add(record));
  expect(told.slice(0, 4)).toEqual([
    undefined,
    { layers: { fetched: 1, total: 1 } },
    { layers: { fetched: 1, total: 2 } },
    { layers: { fetched: 1, total: 3 } },
  ]);
  expect(told[5]).toEqual({ layers: { fetched: 1, total: 3 }, bytes: 32_768 });
  // Unpacking is not counted as if it were received once more.
  expect(told.slice(6, 10)).toEqual(
    Array.from({ length: 4 }, () => ({ layers: { fetched: 2, total: 3 }, bytes: 1_087_988 })),
  );
  expect(told.slice(10)).toEqual([
    { layers: { fetched: 2, total: 3 }, bytes: 1_088_488 },
    undefined,
    undefined,
  ]);
});

it.each([[undefined], [null], ["text"], [{}], [{ id: 1, status: "Downloading" }]])(
  "makes nothing of %j",
  (record) => {
    expect(new PullTally().add(record)).toBeUndefined();
  },
);
