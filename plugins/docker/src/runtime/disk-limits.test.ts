import type { Container } from "kubernetes-types/core/v1.js";
import pino from "pino";
import { describe, expect, it } from "vitest";
import { EngineError } from "../engine/engine-error.ts";
import { FakeEngine, json } from "../testing/fake-engine.ts";
import { DiskLimits, diskLimit, limitStyle } from "./disk-limits.ts";

const signal = new AbortController().signal;
const limited = (text: string): Container => ({
  name: "main",
  resources: { limits: { "ephemeral-storage": text } },
});

it.each([
  [limited("1Mi"), 1_048_576],
  [limited("1.5k"), 1500],
  [limited("0"), undefined],
  [{ name: "main", resources: { limits: { memory: "1Mi" } } }, undefined],
  [{ name: "main" }, undefined],
])("of %j a container may write %s bytes", (container, expected) => {
  expect(diskLimit(container)).toBe(expected);
});

it.each([
  ["overlay2", "own"],
  ["overlay", "own"],
  ["btrfs", "with-image"],
  ["zfs", "with-image"],
  ["vfs", "none"],
  ["fuse-overlayfs", "none"],
  ["constructor", "none"],
])("the driver %s takes limits so: %s", (driver, expected) => {
  expect(limitStyle(driver)).toBe(expected);
});

describe("DiskLimits", () => {
  /** Gives what a container with a limit of 1000 bytes, of an image of 300, gets. */
  async function given(driver: string, refusals: readonly string[] = []) {
    await using engine = await FakeEngine.open((request, response) => {
      const url = decodeURIComponent(request.url ?? "");
      if (url.endsWith("/info")) json(response, 200, { Driver: driver });
      else if (url.endsWith("/images/r.test/a@sha256:00/json")) json(response, 200, { Size: 300 });
      else json(response, 404, { message: "no such thing" });
    });
    const limits = new DiskLimits(engine.client, pino({ level: "silent" }));
    const known = refusals.map((words) => limits.isRefusal(new EngineError("engine", words)));
    const options = await limits.options(limited("1k"), "r.test/a@sha256:00", signal);
    const free = await limits.options({ name: "free" }, "r.test/a@sha256:00", signal);
    const gone = await limits.used({ uid: "u", containerName: "c", attempt: 0, id: "x" }, signal);
    return { options, free, known, gone };
  }

  it("gives the driver what it counts", async () => {
    expect((await given("overlay2")).options).toEqual({ StorageOpt: { size: "1000" } });
    expect((await given("btrfs")).options).toEqual({ StorageOpt: { size: "1300" } });
    expect((await given("vfs")).options).toEqual({});
    expect((await given("overlay2")).free).toEqual({});
  });

  it("gives it nothing any more when it has refused, in the words of Docker or of Podman", async () => {
    const words = "--storage-opt is supported only for overlay over xfs with 'pquota' mount option";
    const podman = `container create: creating container storage: creating read-write layer with ID "67": ${words}`;
    for (const text of [words, podman]) {
      expect(await given("overlay2", [text])).toMatchObject({ options: {}, known: [true] });
    }
    expect(await given("overlay2", ["no space left on device"])).toMatchObject({
      options: { StorageOpt: { size: "1000" } },
      known: [false],
    });
  });

  it("measures nothing of a container that is gone", async () => {
    expect((await given("overlay2")).gone).toBeUndefined();
  });
});
