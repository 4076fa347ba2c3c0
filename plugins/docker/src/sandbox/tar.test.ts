import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { tarOfFile } from "./tar.ts";

it.each([0, 1, 511, 512, 513])("makes an archive of a file of %i bytes that tar reads", (size) => {
  const content = Buffer.alloc(size, "x");
  const archive = tarOfFile("pause", content, 0o755);
  expect(archive.length % 512).toBe(0);
  expect(execFileSync("tar", ["-xO", "pause"], { input: archive })).toEqual(content);
  const listed = execFileSync("tar", ["-tv", "--numeric-owner"], { input: archive }).toString();
  expect(listed).toMatch(/^-rwxr-xr-x 0\/0 .* pause\n$/);
});

it("refuses a name that does not fit", () => {
  expect(() => tarOfFile("x".repeat(100), Buffer.alloc(0), 0o644)).toThrow("too long");
});
