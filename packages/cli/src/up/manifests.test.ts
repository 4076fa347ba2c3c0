import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CliError } from "../cli-error.ts";
import { parseManifest, readManifests } from "./manifests.ts";

const pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n";

function read(...files: string[]) {
  return readManifests(files, () => Readable.from([pod]), new AbortController().signal);
}

describe("reading manifests", () => {
  test("- is standard input, once", async () => {
    expect((await read("-")).map(({ source }) => source)).toEqual(["standard input:1 (Pod a)"]);
    await expect(read("-", "-")).rejects.toThrow("can be given once");
  });

  test("waiting for standard input ends when asked to", async () => {
    const stop = new AbortController();
    const reading = readManifests(["-"], () => new PassThrough(), stop.signal);
    stop.abort();
    await expect(reading).rejects.toThrow("aborted");
  });

  test("an address of the web is refused with what to do instead", async () => {
    await expect(read("https://example.org/pod.yaml")).rejects.toThrow(
      "curl -fsSL https://example.org/pod.yaml | interlink up -",
    );
  });

  test("several documents keep their order and know their lines", () => {
    const text =
      "# a comment\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\napiVersion: v1\nkind: Pod\nmetadata:\n  name: b\n---\n";
    expect(parseManifest(text, "f.yaml").map(({ source }) => source)).toEqual([
      "f.yaml:2 (ConfigMap a)",
      "f.yaml:6 (Pod b)",
    ]);
  });

  test("a List is taken apart", () => {
    const text = JSON.stringify({
      kind: "List",
      apiVersion: "v1",
      items: [{ apiVersion: "v1", kind: "Pod", metadata: { name: "a" } }],
    });
    expect(parseManifest(text, "f.json").map(({ object }) => object.metadata.name)).toEqual(["a"]);
  });

  test.each([
    [
      "a tab where YAML forbids one",
      "kind: Pod\n\tmetadata: {}\n",
      /f\.yaml:2:\d+: not valid YAML/,
    ],
    [
      "an object without kind",
      "apiVersion: v1\nmetadata: {name: a}\n",
      /f\.yaml:1: the object has no kind/,
    ],
    ["an object without name", "apiVersion: v1\nkind: Pod\n", /this Pod has no metadata\.name/],
    ["an alias that leads nowhere", "*a\n", /f\.yaml:1: not valid YAML: Unresolved alias/],
    ["a bare text", "hello\n", /a Kubernetes object is expected here/],
    ["an empty file", "\n# nothing\n", /holds no Kubernetes object/],
  ])("%s is told with file and line", (_sentence, text, message) => {
    expect(() => parseManifest(text, "f.yaml")).toThrow(message);
  });

  test("any text either gives objects with a name or a CliError", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        try {
          for (const { object } of parseManifest(text, "f")) {
            expect(typeof object.metadata.name).toBe("string");
          }
        } catch (error) {
          expect(error).toBeInstanceOf(CliError);
        }
      }),
    );
  });

  test("a file that is not there is told as such", async () => {
    const directory = await mkdtemp(join(tmpdir(), "interlink-manifests-"));
    try {
      await expect(read(join(directory, "none.yaml"))).rejects.toThrow("there is no such file");
      await expect(read(directory)).rejects.toThrow("it is a directory");
      await writeFile(
        join(directory, "a.yaml"),
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n",
      );
      expect(await read(join(directory, "a.yaml"))).toHaveLength(1);
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});
