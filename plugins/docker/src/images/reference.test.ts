import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseReference, showReference } from "./reference.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;

describe("parseReference", () => {
  it.each([
    ["busybox", "docker.io/library/busybox:latest"],
    ["busybox:1.36", "docker.io/library/busybox:1.36"],
    ["team/app", "docker.io/team/app:latest"],
    ["docker.io/busybox", "docker.io/library/busybox:latest"],
    ["index.docker.io/library/busybox", "docker.io/library/busybox:latest"],
    ["registry.test/a/b/c:v1", "registry.test/a/b/c:v1"],
    ["localhost/app", "localhost/app:latest"],
    ["127.0.0.1:5000/a:b", "127.0.0.1:5000/a:b"],
    ["[::1]:5000/a:b", "[::1]:5000/a:b"],
    ["a__b/c--d.e:X_y-Z.1", "docker.io/a__b/c--d.e:X_y-Z.1"],
    [`busybox@${DIGEST}`, `docker.io/library/busybox@${DIGEST}`],
    [`registry.test:1/a:tag@${DIGEST}`, `registry.test:1/a@${DIGEST}`],
    ["HOST/a", "HOST/a:latest"],
  ])("reads %s as %s", (text, whole) => {
    const reference = parseReference(text);
    expect(reference && showReference(reference)).toBe(whole);
  });

  it.each([
    "",
    " ",
    "Busybox",
    "a b",
    "a/B",
    "a:",
    ":tag",
    "a:-x",
    `a:${"x".repeat(129)}`,
    "a@sha256:short",
    "a@",
    "/a",
    "a/",
    "a//b",
    "a/../b",
    "-a",
    "a?x=1",
    "a#b",
    "a%2fb",
    "registry.test:port/a",
    "b".repeat(256),
    "a".repeat(64),
    "http://registry.test/a",
  ])("refuses %j", (text) => {
    expect(parseReference(text)).toBeUndefined();
  });

  it("understands what it writes, whatever it understood", () => {
    const name = fc.stringMatching(/^[a-zA-Z0-9._:/@[\]-]{0,40}$/);
    fc.assert(
      fc.property(fc.oneof(name, fc.string()), (text) => {
        const reference = parseReference(text);
        if (reference === undefined) return;
        const whole = showReference(reference);
        expect(whole).toMatch(/^[A-Za-z0-9.:[\]-]+\/[a-z0-9._/-]+[:@][A-Za-z0-9_.:+-]+$/);
        const again = parseReference(whole);
        expect(again && showReference(again)).toBe(whole);
      }),
    );
  });
});
