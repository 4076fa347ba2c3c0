import { mkdtemp, rm } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pino from "pino";
import { expect, it, onTestFinished } from "vitest";
import { FakeEngine, json } from "../testing/fake-engine.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { ImageUpkeep } from "./image-upkeep.ts";

interface Line {
  level: number;
  msg: string;
}

/** An engine in memory, with what of its API has to do with images. */
class Images {
  readonly present = new Map<string, { name: string; bytes: number }>();
  /** Names that it does not remove, with its words. */
  readonly refused = new Map<string, string>();
  readonly removed: string[] = [];
  /** What a pull answers instead of bringing the image. */
  pullError: string | undefined;
  /** Podman does not tell it. */
  tellsLayers = true;
  rootDir = "/";

  answer(method: string, path: string, url: URL, response: ServerResponse): void {
    if (path === "/info") return json(response, 200, { DockerRootDir: this.rootDir });
    if (path === "/containers/json") return json(response, 200, []);
    if (path === "/system/df") {
      const bytes = [...this.present.values()].reduce((sum, one) => sum + one.bytes, 0);
      return json(response, 200, { LayersSize: this.tellsLayers ? bytes : 0 });
    }
    if (path === "/images/json") {
      const all = [...this.present].map(([Id, { name, bytes }]) => ({
        Id,
        RepoTags: [name],
        Size: bytes,
      }));
      return json(response, 200, all);
    }
    if (path === "/images/create") return this.#pull(url, response);
    const name = path.replace(/^\/images\//, "").replace(/\/json$/, "");
    const found = [...this.present].find(([, one]) => one.name === name);
    if (found === undefined) return json(response, 404, { message: "No such image" });
    if (method === "GET") return json(response, 200, { Id: found[0], Size: found[1].bytes });
    const words = this.refused.get(name);
    if (words !== undefined) return json(response, 409, { message: words });
    this.present.delete(found[0]);
    this.removed.push(name);
    return json(response, 200, []);
  }

  #pull(url: URL, response: ServerResponse): void {
    if (this.pullError !== undefined) return json(response, 200, { error: this.pullError });
    const name = `${url.searchParams.get("fromImage")}:${url.searchParams.get("tag")}`;
    this.present.set(`sha256:${name}`, { name, bytes: 100 });
    json(response, 200, { status: "done" });
  }
}

async function setUp(
  space: string | undefined,
  looksAt: (images: Images) => void = () => undefined,
) {
  const folder = await mkdtemp(join(tmpdir(), "collector-"));
  const images = new Images();
  looksAt(images);
  const engine = await FakeEngine.open((request, response, url) => {
    const path = decodeURIComponent(url.pathname).replace(/^\/v[\d.]+/, "");
    images.answer(request.method ?? "", path, url, response);
  });
  const lines: Line[] = [];
  const clock = new ManualClock();
  const upkeep = new ImageUpkeep({
    engine: engine.client,
    settings: {
      garbageCollection: {
        highPercent: 80,
        lowPercent: 50,
        ...(space !== undefined && { space }),
      },
    },
    file: join(folder, "images.json"),
    clock,
    random: () => 1,
    logger: pino(
      { level: "debug" },
      { write: (text: string) => void lines.push(JSON.parse(text) as Line) },
    ),
  });
  onTestFinished(async () => {
    await upkeep[Symbol.asyncDispose]();
    await engine[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });
  await upkeep.start([]);
  const signal = new AbortController().signal;
  const pull = (image: string) =>
    upkeep.store.ensure({ uid: "u", image, pullPolicy: "Always", pullSecrets: [] }, signal);
  const told = (words: string) => lines.filter(({ msg }) => msg.includes(words));
  const lookAgain = async () => {
    await expect.poll(() => clock.waiting).toHaveLength(1);
    clock.advance(5 * 60_000);
    await expect.poll(() => clock.waiting).toHaveLength(1);
  };
  return { images, clock, pull, told, lookAgain };
}

it("removes what was unused for longest, until there is room", async () => {
  const { images, pull, told, lookAgain, clock } = await setUp("500");
  for (const name of ["a", "b", "c"]) {
    await pull(`r.test/${name}:1`);
    clock.advance(1000);
  }
  await lookAgain();
  // 300 of 500 is less than 80 %.
  expect(images.removed).toEqual([]);
  for (const name of ["d", "a", "e"]) {
    await pull(`r.test/${name}:1`);
    clock.advance(1000);
  }
  await lookAgain();
  // 500 of 500: 250 are to go, and "a" was asked for again.
  expect(images.removed).toEqual(["r.test/b:1", "r.test/c:1", "r.test/d:1"]);
  expect(told("images were removed to make room")).toHaveLength(1);
});

it("takes what the engine refuses to remove for used, says so, and removes others", async () => {
  const { images, pull, told, lookAgain, clock } = await setUp("200");
  for (const name of ["a", "b", "c"]) {
    await pull(`r.test/${name}:1`);
    clock.advance(1000);
  }
  images.refused.set("r.test/a:1", "conflict: image is being used by running container 1");
  await lookAgain();
  expect(images.removed).toEqual(["r.test/b:1", "r.test/c:1"]);
  expect(told("the engine does not remove an image")).toHaveLength(1);
  expect(images.present.size).toBe(1);
});

it("says that nothing more can be removed, and comes again", async () => {
  const { images, pull, told, lookAgain } = await setUp("100");
  images.present.set("sha256:x", { name: "somebodys:1", bytes: 1000 });
  await pull("r.test/a:1");
  await lookAgain();
  await lookAgain();
  expect(images.removed).toEqual(["r.test/a:1"]);
  expect(told("no more images can be removed").length).toBeGreaterThanOrEqual(2);
});

it("adds up images by itself where the engine does not", async () => {
  const { images, pull, lookAgain } = await setUp("150", (engine) => {
    engine.tellsLayers = false;
  });
  await pull("r.test/a:1");
  await pull("r.test/b:1");
  await lookAgain();
  expect(images.removed).toHaveLength(2);
});

it("looks at once when a pull finds no room", async () => {
  const { images, pull, told, clock } = await setUp("100");
  await pull("r.test/a:1");
  await expect.poll(() => clock.waiting).toHaveLength(1);
  clock.advance(4 * 60_000);
  expect(images.removed).toEqual([]);
  images.pullError = "write /var/lib/docker/tmp: no space left on device";
  await expect(pull("r.test/b:1")).rejects.toMatchObject({ code: "ErrImagePull" });
  await expect.poll(() => images.removed).toEqual(["r.test/a:1"]);
  await expect.poll(() => told("images were removed to make room")).toHaveLength(1);
});

it("says that it cannot see the engine's disk, and does nothing", async () => {
  const { told, clock } = await setUp(undefined, (engine) => {
    engine.rootDir = "/no/such/directory";
  });
  await expect.poll(() => told("the engine's disk is not seen from here")).toHaveLength(1);
  expect(clock.waiting).toEqual([]);
});
