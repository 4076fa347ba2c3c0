import { randomUUID } from "node:crypto";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { DockerRuntimeOptions } from "@interlink/plugin-docker";
import type { Clock } from "@interlink/plugin-sdk";
import pino from "pino";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { describeRegistries } from "../systems/describe-system.ts";
import {
  BUSYBOX,
  hasImage,
  makeBusyboxImage,
  pushImage,
  tagImage,
  untagImage,
} from "../systems/images.ts";
import { REGISTRY_LOGIN } from "../systems/registry.ts";
import { waitUntil } from "../systems/wait-until.ts";
import { ProviderFixture } from "./provider-fixture.ts";
import { RuntimeFixture } from "./runtime-fixture.ts";

/** So small that any image is too much. */
const NO_SPACE = { space: "1", highPercent: 1, lowPercent: 1 };

/** The real time, moved ahead by tests. */
class MovedClock implements Clock {
  #ahead = 0;
  readonly #timers = new Set<{ at: number; callback: () => void }>();

  now(): number {
    return Date.now() + this.#ahead;
  }

  at(at: number, callback: () => void): () => void {
    const timer = { at, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  advance(milliseconds: number): void {
    this.#ahead += milliseconds;
    for (const timer of this.#timers) {
      if (timer.at <= this.now() && this.#timers.delete(timer)) timer.callback();
    }
  }
}

describeRegistries("the images of an engine", (engine) => {
  let fixture: RuntimeFixture;
  const made: string[] = [];
  beforeAll(async () => {
    fixture = await RuntimeFixture.open(engine.host);
  });
  afterAll(async () => {
    for (const image of made) await untagImage(fixture.engine, image);
    await fixture[Symbol.asyncDispose]();
  });

  /** An image of its own in a registry, and not in the engine. */
  async function published(registry = engine.registry, login = {}): Promise<string> {
    const image = await imported(`${registry}/test/${randomUUID()}:latest`);
    await pushImage(fixture.engine, image, login);
    await untagImage(fixture.engine, image);
    expect(await isThere(image)).toBe(false);
    return image;
  }

  async function imported(image: string): Promise<string> {
    made.push(image);
    await makeBusyboxImage(fixture.engine, image, [`LABEL test=${randomUUID()}`]);
    return image;
  }

  const isThere = (image: string) => hasImage(fixture.engine, image);
  const untilThere = (image: string) => waitUntil(`${image} is there`, () => isThere(image));

  /** A plugin of its own, whose memory of images is a file that its next life has, too; it has looked once. */
  async function plugin(
    images: DockerRuntimeOptions["images"] & object,
    clock: MovedClock,
    file = join(fixture.folder, `${randomUUID()}.json`),
  ): Promise<RuntimeFixture & { lookAgain: () => Promise<void> }> {
    let looks = 0;
    const over = /there is room for images|images were removed|no more images can be removed/;
    const write = (line: string): void => {
      if (over.test(line)) looks += 1;
    };
    const one = await RuntimeFixture.open(engine.host, undefined, {
      images: { ...images, file },
      clock,
      logger: pino({ level: "debug" }, { write }),
    });
    onTestFinished(() => one[Symbol.asyncDispose]());
    if (images.garbageCollection !== false) await waitUntil("it has looked", () => looks === 1);
    const lookAgain = async (): Promise<void> => {
      const before = looks;
      clock.advance(6 * 60_000);
      await waitUntil("it has looked again", () => looks > before);
    };
    return Object.assign(one, { lookAgain });
  }

  const pull = (by: RuntimeFixture, image: string, pullPolicy: "Always" | "IfNotPresent") =>
    by.runtime.ensureImage({ uid: "u", image, pullPolicy, pullSecrets: [] }, by.signal);

  it("are pulled ahead, with the logins of a file, while one that is not there stops nobody", async () => {
    const open = await published();
    const locked = await published(engine.lockedRegistry, REGISTRY_LOGIN);
    const { username, password } = REGISTRY_LOGIN;
    const auth = Buffer.from(`${username}:${password}`).toString("base64");
    const secrets = join(fixture.folder, "config.json");
    await writeFile(secrets, JSON.stringify({ auths: { [engine.lockedRegistry]: { auth } } }));
    await chmod(secrets, 0o600);
    await using provider = await ProviderFixture.open(engine.host, {
      images: {
        prePull: [`${engine.registry}/no/such:tag`, locked, open],
        prePullSecrets: secrets,
      },
    });
    await untilThere(locked);
    await untilThere(open);
    const data = await provider.create({
      containers: [
        { name: "main", image: open, imagePullPolicy: "Never", command: ["echo", "ahead"] },
      ],
    });
    await provider.ended(data);
    expect(await provider.log(data)).toBe("ahead\n");
  });

  it("are removed when they take too much, but for those that are used, kept or somebody else's", async () => {
    const clock = new MovedClock();
    const unused = await published();
    const used = await published();
    const ended = await published();
    const ahead = await published();
    const renamed = await published();
    const foreign = await imported(`example.test/${randomUUID()}:1`);
    const before = await published();
    await pull(fixture, before, "Always");

    const settings = { prePull: [ahead], garbageCollection: NO_SPACE };
    const one = await plugin(settings, clock);
    for (const image of [unused, used, ended, renamed]) await pull(one, image, "IfNotPresent");
    // That it asks for what was there does not make it this plugin's.
    await pull(one, before, "Always");
    await untilThere(ahead);
    const other = `example.test/${randomUUID()}:mine`;
    made.push(other);
    await tagImage(fixture.engine, renamed, other);
    const pod = await one.pod([]);
    await one.start(pod, { name: "used", image: used, command: ["sleep", "1234"] });
    const handle = await one.start(pod, { name: "ended", image: ended, command: ["true"] });
    await one.ended(handle);

    await one.lookAgain();
    expect(await isThere(unused)).toBe(false);
    for (const image of [used, ended, ahead, renamed, other, foreign, before, BUSYBOX]) {
      expect(await isThere(image), image).toBe(true);
    }
    await one.runtime.removeSandbox(pod.metadata?.uid ?? "", one.signal);
    await one.lookAgain();
    for (const image of [used, ended]) expect(await isThere(image), image).toBe(false);
    for (const image of [ahead, renamed, other, foreign, before, BUSYBOX]) {
      expect(await isThere(image), image).toBe(true);
    }
    // Nor did the sandboxes' image go, though nothing runs.
    await one.pod([]);
  });

  it("are removed when their tag has moved on to a newer image, or they never had one", async () => {
    const clock = new MovedClock();
    const one = await plugin({ garbageCollection: NO_SPACE }, clock);
    const image = await published();
    const idOf = async (name: string) => {
      const path = `/images/${name}/json`;
      const found = await fixture.engine.json<{ Id: string }>({
        method: "GET",
        path,
        signal: fixture.signal,
      });
      return found.Id;
    };
    const { imageID: byDigest } = await pull(one, image, "Always");
    const older = await idOf(image);
    await untagImage(fixture.engine, image);
    // By its digest alone.
    await pull(one, byDigest, "IfNotPresent");
    expect(await idOf(byDigest)).toBe(older);
    await pull(one, image, "Always");
    const newer = await imported(image);
    const id = await idOf(newer);
    await pushImage(fixture.engine, newer);
    await untagImage(fixture.engine, newer);
    await pull(one, image, "Always");
    expect(await idOf(image)).not.toBe(older);
    expect(await isThere(older)).toBe(true);
    const other = await published();
    const { imageID } = await pull(one, other, "Always");
    await untagImage(fixture.engine, other);
    await pull(one, imageID, "Always");
    await one.lookAgain();
    for (const gone of [older, id, imageID]) expect(await isThere(gone), gone).toBe(false);
  });

  it("are removed by the plugin's next life, too, and not before their time", async () => {
    const clock = new MovedClock();
    const file = join(fixture.folder, `${randomUUID()}.json`);
    const settings = { garbageCollection: NO_SPACE };
    const image = await published();
    const first = await plugin(settings, clock, file);
    await pull(first, image, "IfNotPresent");
    await first.runtime.close();
    const later = await published();
    const young = await plugin(settings, clock, file);
    await pull(young, later, "IfNotPresent");
    expect(await isThere(image)).toBe(true);
    await young.runtime.close();
    clock.advance(3 * 60_000);
    await plugin(settings, clock, file);
    expect(await isThere(image)).toBe(false);
    expect(await isThere(later)).toBe(false);
  });

  it("are removed when the engine's disk is too full, and stay when it is not", async () => {
    const clock = new MovedClock();
    const file = join(fixture.folder, `${randomUUID()}.json`);
    const image = await published();
    const roomy = await plugin(
      { garbageCollection: { highPercent: 100, lowPercent: 99 } },
      clock,
      file,
    );
    await pull(roomy, image, "IfNotPresent");
    await roomy.lookAgain();
    await roomy.runtime.close();
    expect(await isThere(image)).toBe(true);
    const off = await plugin({ garbageCollection: false }, clock, file);
    clock.advance(6 * 60_000);
    await off.runtime.close();
    expect(await isThere(image)).toBe(true);
    await plugin({ garbageCollection: { highPercent: 1, lowPercent: 1 } }, clock, file);
    expect(await isThere(image)).toBe(false);
  });

  it("are told as events, with the time and the size of a pull", async () => {
    const image = await published();
    await using provider = await ProviderFixture.open(engine.host);
    const data = await provider.create({
      containers: [{ name: "main", image, imagePullPolicy: "Always", command: ["true"] }],
    });
    await provider.ended(data);
    const told = provider.events.filter(({ UID }) => UID === data.pod.metadata?.uid);
    expect(told.map(({ reason }) => reason)).toEqual(["Pulling", "Pulled", "Created", "Started"]);
    expect(told[0]?.message).toBe(`Pulling image "${image}"`);
    expect(told[1]?.message).toMatch(
      /^Successfully pulled image "[^"]+" in [\dms.]+ \([\dms.]+ including waiting\)\. Image size: \d{5,} bytes\.$/,
    );
  });
});
