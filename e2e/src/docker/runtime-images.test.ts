import { randomUUID } from "node:crypto";
import { jsonLines } from "@interlink/plugin-docker";
import type { ImageRequest } from "@interlink/plugin-sdk";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeRegistries } from "../systems/describe-system.ts";
import { BUSYBOX, makeBusyboxImage, pushImage, tagImage, untagImage } from "../systems/images.ts";
import { REGISTRY_LOGIN } from "../systems/registry.ts";
import { RuntimeFixture } from "./runtime-fixture.ts";

describeRegistries("images from a real registry", (engine) => {
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
  async function published(registry: string, login = {}): Promise<string> {
    const image = `${registry}/test/${randomUUID()}:latest`;
    made.push(image);
    await makeBusyboxImage(fixture.engine, image);
    await pushImage(fixture.engine, image, login);
    await untagImage(fixture.engine, image);
    return image;
  }

  function request(image: string, more: Partial<ImageRequest> = {}): ImageRequest {
    return { uid: "uid", image, pullPolicy: "IfNotPresent", pullSecrets: [], ...more };
  }

  it("pulls what is missing, once, and finds it present afterwards", async () => {
    const image = await published(engine.registry);
    const steps: Parameters<NonNullable<ImageRequest["onPull"]>>[0][] = [];
    const onPull: ImageRequest["onPull"] = (step) => steps.push(step);
    const first = await fixture.runtime.ensureImage(request(image, { onPull }), fixture.signal);
    expect(first.pulled).toBe(true);
    expect(first.imageID).toMatch(
      new RegExp(`^${image.replace(/:latest$/, "")}@sha256:[0-9a-f]{64}$`),
    );
    expect(steps.at(0)).toEqual({ phase: "pulling" });
    // Podman counts what describes the image as a layer, too.
    const layers = engine.kind === "podman" ? 2 : 1;
    expect(steps.at(-2)).toMatchObject({
      phase: "progress",
      layers: { fetched: layers, total: layers },
    });
    expect(steps.at(-1)).toMatchObject({ phase: "pulled", milliseconds: expect.any(Number) });
    expect(steps.slice(1, -1).every(({ phase }) => phase === "progress")).toBe(true);
    const second = await fixture.runtime.ensureImage(request(image), fixture.signal);
    expect(second).toEqual({ imageID: first.imageID, pulled: false });
    // What it is called can be run, and pulled again by digest.
    const { log } = await fixture.run({ image: first.imageID, command: ["echo", "by digest"] });
    expect(log).toBe("by digest\n");
  });

  it("asks the registry each time with Always, and gets a new image under the old name", async () => {
    const image = await published(engine.registry);
    const before = await fixture.runtime.ensureImage(
      request(image, { pullPolicy: "Always" }),
      fixture.signal,
    );
    await untagImage(fixture.engine, image);
    await makeBusyboxImage(fixture.engine, image, ['CMD ["echo", "new"]']);
    await pushImage(fixture.engine, image);
    await tagImage(fixture.engine, BUSYBOX, image);
    const after = await fixture.runtime.ensureImage(
      request(image, { pullPolicy: "Always" }),
      fixture.signal,
    );
    expect(after.pulled).toBe(true);
    expect(after.imageID).not.toBe(before.imageID);
  });

  it("shares one pull between pods that want the same image at once", async () => {
    const image = await published(engine.registry);
    const all = await Promise.all(
      Array.from({ length: 5 }, () => fixture.runtime.ensureImage(request(image), fixture.signal)),
    );
    expect(new Set(all.map(({ imageID }) => imageID)).size).toBe(1);
    // Podman tells of it a moment later.
    await expect.poll(() => pullsOf(image)).toBe(1);
    // It does count them.
    await fixture.runtime.ensureImage(request(image, { pullPolicy: "Always" }), fixture.signal);
    await expect.poll(() => pullsOf(image)).toBe(2);
  });

  /** How often the engine says that it has pulled an image. */
  async function pullsOf(image: string): Promise<number> {
    const answer = await fixture.engine.stream({
      method: "GET",
      path: "/events",
      query: {
        since: 0,
        until: Math.ceil(Date.now() / 1000),
        filters: { type: ["image"], event: ["pull"] },
      },
      signal: fixture.signal,
    });
    let count = 0;
    for await (const event of jsonLines(answer)) {
      if (JSON.stringify(event).includes(image.replace(/:latest$/, ""))) count += 1;
    }
    return count;
  }

  it("says in the engine's words that an image does not exist", async () => {
    const image = `${engine.registry}/no/such:tag`;
    await expect(fixture.runtime.ensureImage(request(image), fixture.signal)).rejects.toMatchObject(
      {
        name: "ImageError",
        code: "ErrImagePull",
        message: expect.stringMatching(/no\/such.*not found|manifest unknown/) as string,
      },
    );
  });

  it("does not pull with Never", async () => {
    const image = await published(engine.registry);
    await expect(
      fixture.runtime.ensureImage(request(image, { pullPolicy: "Never" }), fixture.signal),
    ).rejects.toMatchObject({
      code: "ErrImageNeverPull",
      message: `Container image "${image}" is not present with pull policy of Never`,
    });
  });

  it("tells a registry that does not answer from one that says no", async () => {
    await expect(
      fixture.runtime.ensureImage(request("127.0.0.1:1/a/b:c"), fixture.signal),
    ).rejects.toMatchObject({
      code: "RegistryUnavailable",
      message: expect.stringContaining("connection refused") as string,
    });
  });

  it("refuses what is not the name of an image", async () => {
    await expect(
      fixture.runtime.ensureImage(request("Not An Image"), fixture.signal),
    ).rejects.toMatchObject({ code: "InvalidImageName" });
  });

  it("logs in with the pull secrets that fit, and without them is told no", async () => {
    const image = await published(engine.lockedRegistry, REGISTRY_LOGIN);
    const auth = Buffer.from(`${REGISTRY_LOGIN.username}:${REGISTRY_LOGIN.password}`);
    const secret = (key: string, value: object): string =>
      JSON.stringify({ auths: { [key]: value } });
    const fitting = secret(engine.lockedRegistry, { auth: auth.toString("base64") });
    const wrong = secret(engine.lockedRegistry, { username: "interlink", password: "no" });
    const other = secret("registry.test", { username: "x", password: "y" });
    const ensure = (...pullSecrets: string[]) =>
      fixture.runtime.ensureImage(request(image, { pullSecrets }), fixture.signal);
    await expect(ensure()).rejects.toMatchObject({ code: "ErrImagePull" });
    await expect(ensure(other, wrong)).rejects.toMatchObject({ code: "ErrImagePull" });
    expect(await ensure(other, wrong, fitting)).toMatchObject({ pulled: true });
  });
});
