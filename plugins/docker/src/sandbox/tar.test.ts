import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { tarOf } from "./tar.ts";

it.each([0, 1, 511, 512, 513])("makes an archive of a file of %i bytes that tar reads", (size) => {
  const content = Buffer.alloc(size, "x");
  const archive = tarOf([{ name: "pause", content, mode: 0o755 }]);
  expect(archive.length % 512).toBe(0);
  expect(execFileSync("tar", ["-xO", "pause"], { input: archive })).toEqual(content);
  const listed = execFileSync("tar", ["-tv", "--numeric-owner"], { input: archive }).toString();
  expect(listed).toMatch(/^-rwxr-xr-x 0\/0 .* pause\n$/);
});

it("refuses a name that does not fit", () => {
  const file = { name: "x".repeat(100), content: Buffer.alloc(0), mode: 0o644 };
  expect(() => tarOf([file])).toThrow("too long");
});

it("puts several files into one archive", () => {
  const files = ["one", "two"].map((name) => ({ name, content: Buffer.from(name), mode: 0o644 }));
  expect(execFileSync("tar", ["-xO"], { input: tarOf(files) }).toString()).toBe("onetwo");
});
