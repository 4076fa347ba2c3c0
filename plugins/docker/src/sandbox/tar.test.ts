import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { firstFileOf, tarOf } from "./tar.ts";

it.each([0, 1, 511, 512, 513])("makes an archive of a file of %i bytes that tar reads", (size) => {
  const content = Buffer.alloc(size, "x");
  const archive = tarOf([{ name: "pause", content, mode: 0o755 }]);
  expect(archive.length % 512).toBe(0);
  expect(execFileSync("tar", ["-xO", "pause"], { input: archive })).toEqual(content);
  const listed = execFileSync("tar", ["-tv", "--numeric-owner"], { input: archive }).toString();
  expect(listed).toMatch(/^-rwxr-xr-x 0\/0 .* pause\n$/);
});

it("takes names and targets of any length, directories and links", () => {
  const directory = mkdtempSync(join(tmpdir(), "interlink-tar-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const long = `${"d".repeat(120)}/${"x".repeat(90)}`;
  const archive = tarOf([
    { name: "d".repeat(120), type: "directory", mode: 0o750 },
    { name: long, content: Buffer.from("content"), mode: 0o640 },
    { name: "link", type: "link", target: long, mode: 0o777 },
  ]);
  execFileSync("tar", ["-x", "-C", directory], { input: archive });
  expect(readFileSync(join(directory, "link"), "utf8")).toBe("content");
  expect(statSync(join(directory, long)).mode & 0o777).toBe(0o640);
  expect(statSync(join(directory, "d".repeat(120))).mode & 0o777).toBe(0o750);
});

it.each([0, 1, 99, 100, 101, 989, 990, 991, 992, 9987, 9990, 9993])(
  "counts the bytes of a name of %i characters as tar does",
  (length) => {
    const name = `n${"é".repeat(length)}`.slice(0, 200 + (length % 30));
    const archive = tarOf([{ name, content: Buffer.from("x"), mode: 0o644 }]);
    expect(
      execFileSync("tar", ["-t", "--quoting-style=literal"], { input: archive }).toString(),
    ).toBe(`${name}\n`);
  },
);

it("finds the first file of an archive, also when that is cut off", () => {
  const content = Buffer.alloc(2000, "m");
  const archive = tarOf([
    { name: "d", type: "directory", mode: 0o755 },
    { name: "x".repeat(150), content, mode: 0o644 },
  ]);
  expect(firstFileOf(archive, 4096)).toEqual(content);
  expect(firstFileOf(archive, 10)).toEqual(content.subarray(0, 10));
  expect(firstFileOf(archive.subarray(0, 3000), 4096)?.length).toBeGreaterThan(0);
  expect(firstFileOf(Buffer.alloc(1024), 10)).toBeUndefined();
});

it("puts several files into one archive", () => {
  const files = ["one", "two"].map((name) => ({ name, content: Buffer.from(name), mode: 0o644 }));
  expect(execFileSync("tar", ["-xO"], { input: tarOf(files) }).toString()).toBe("onetwo");
});
