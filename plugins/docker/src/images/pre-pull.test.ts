import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ImageError, type ImageRequest, type ImageState } from "@interlink/plugin-sdk";
import pino from "pino";
import { expect, it, onTestFinished } from "vitest";
import { ManualClock } from "../testing/manual-clock.ts";
import { PrePull, type PrePullOptions } from "./pre-pull.ts";

interface Line {
  level: number;
  msg: string;
  image?: string;
  delayMs?: number;
}

function setUp(
  ensure: (request: ImageRequest, clock: ManualClock) => Promise<ImageState>,
  more: Partial<PrePullOptions> = {},
) {
  const lines: Line[] = [];
  const logger = pino({}, { write: (text: string) => void lines.push(JSON.parse(text) as Line) });
  const clock = new ManualClock();
  const asked: ImageRequest[] = [];
  const store = {
    ensure: (request: ImageRequest) => {
      asked.push(request);
      return ensure(request, clock);
    },
  };
  const prePull = new PrePull({
    images: ["r.test/a:1", "r.test/b:1"],
    store,
    clock,
    random: () => 1,
    logger,
    ...more,
  });
  onTestFinished(async () => {
    await prePull[Symbol.asyncDispose]();
  });
  prePull.start();
  return { lines, clock, asked, prePull };
}

const present: ImageState = { imageID: "x", pulled: true };
const names = (asked: readonly ImageRequest[]) => asked.map(({ image }) => image);

it("pulls one after the other, what is missing, and says so", async () => {
  let finish: (state: ImageState) => void = () => undefined;
  const { asked, lines } = setUp(({ onPull }, clock) => {
    onPull?.({ phase: "pulling" });
    clock.advance(29_000);
    onPull?.({ phase: "progress", layers: { fetched: 1, total: 3 } });
    clock.advance(1_000);
    onPull?.({ phase: "progress", layers: { fetched: 2, total: 3 } });
    onPull?.({ phase: "pulled", milliseconds: 30_000, bytes: 7 });
    return new Promise((resolve) => {
      finish = resolve;
    });
  });
  await expect.poll(() => names(asked)).toEqual(["r.test/a:1"]);
  expect(asked[0]).toMatchObject({ pullPolicy: "IfNotPresent", pullSecrets: [] });
  finish(present);
  await expect.poll(() => names(asked)).toEqual(["r.test/a:1", "r.test/b:1"]);
  finish(present);
  expect(lines.slice(0, 3)).toMatchObject([
    { msg: "pulling an image ahead", image: "r.test/a:1" },
    { msg: "still pulling an image ahead", layers: { fetched: 2, total: 3 } },
    { msg: "pulled an image ahead", milliseconds: 30_000, bytes: 7 },
  ]);
});

it("tries again what fails, less and less often, while the others come", async () => {
  let isThere = false;
  const { asked, lines, clock } = setUp(async ({ image }) => {
    if (image === "r.test/a:1" && !isThere) throw new ImageError("ErrImagePull", "not found");
    return present;
  });
  const delays: (number | undefined)[] = [];
  for (let tries = 1; tries <= 7; tries++) {
    await expect.poll(() => clock.waiting).toHaveLength(1);
    delays.push(clock.waiting[0]);
    isThere = tries === 7;
    clock.advance(clock.waiting[0] ?? 0);
  }
  await expect.poll(() => asked).toHaveLength(9);
  expect(delays).toEqual([10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000]);
  expect(names(asked).filter((image) => image === "r.test/b:1")).toHaveLength(1);
  const [failed] = lines;
  expect(failed).toMatchObject({ level: 40, image: "r.test/a:1", delayMs: 10_000 });
});

it("does not try again what is not the name of an image", async () => {
  const { asked, lines, clock } = setUp(() =>
    Promise.reject(new ImageError("InvalidImageName", "no")),
  );
  await expect.poll(() => lines).toHaveLength(2);
  expect(asked).toHaveLength(2);
  expect(clock.waiting).toEqual([]);
});

it("reads the logins for each try, and tells nothing of them", async () => {
  const folder = await mkdtemp(join(tmpdir(), "pre-pull-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const secrets = join(folder, "config.json");
  const images = ["r.test/a:1"];
  const { asked, lines, clock } = setUp(() => Promise.resolve(present), { secrets, images });
  const failures = async (count: number) => {
    await expect.poll(() => lines.filter(({ level }) => level === 40)).toHaveLength(count);
    await expect.poll(() => clock.waiting).toHaveLength(1);
  };
  await failures(1);
  await writeFile(secrets, '{"auths": secret!');
  clock.advance(10_000);
  await failures(2);
  await writeFile(secrets, '{"credsStore":"pass"}');
  clock.advance(20_000);
  await failures(3);
  const auths = '{"auths":{"r.test":{"auth":"c2VjcmV0"}}}';
  await writeFile(secrets, auths);
  clock.advance(40_000);
  await expect.poll(() => asked).toHaveLength(1);
  expect(asked[0]?.pullSecrets).toEqual([auths]);
  const told = JSON.stringify(lines);
  expect(told).toContain("ENOENT");
  expect(told).toContain("is not JSON");
  expect(told).toContain("docker-credential-pass");
  expect(told).not.toMatch(/secret!|c2VjcmV0/);
});

it("is over at once when the plugin stops, whatever it waits for", async () => {
  const { prePull, clock } = setUp(() => Promise.reject(new Error("no")));
  await expect.poll(() => clock.waiting).toHaveLength(2);
  await prePull[Symbol.asyncDispose]();
  expect(clock.waiting).toEqual([]);
});
