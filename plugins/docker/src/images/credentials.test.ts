import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { credentialsFor, globMatches } from "./credentials.ts";
import { parseReference } from "./reference.ts";

const base64 = (text: string): string => Buffer.from(text).toString("base64");

function usersFor(image: string, ...secrets: string[]): (string | undefined)[] {
  const reference = parseReference(image);
  if (reference === undefined) throw new Error(`${image} is no image`);
  return credentialsFor(reference, secrets).map(({ username }) => username);
}

function secret(...keys: string[]): string {
  return JSON.stringify({
    auths: Object.fromEntries(keys.map((key) => [key, { username: key, password: "p" }])),
  });
}

describe("credentialsFor", () => {
  it.each([
    ["registry.test/a", "registry.test", true],
    ["registry.test/a", "https://registry.test/v2/", true],
    ["registry.test/a", "http://registry.test", true],
    ["registry.test/a", "other.test", false],
    ["registry.test:5000/a", "registry.test:5000", true],
    ["registry.test:5000/a", "registry.test", false],
    ["registry.test/team/a", "registry.test/team", true],
    ["registry.test/other/a", "registry.test/team", false],
    ["eu.registry.test/a", "*.registry.test", true],
    ["a.eu.registry.test/a", "*.registry.test", false],
    ["busybox", "https://index.docker.io/v1/", true],
    ["busybox", "docker.io", true],
  ])("for %s looks at %s: %s", (image, key, fits) => {
    expect(usersFor(image, secret(key))).toEqual(fits ? [key] : []);
  });

  it("keeps the order of the secrets, and the most specific of each first", () => {
    expect(
      usersFor(
        "registry.test/team/a",
        secret("registry.test", "registry.test/team"),
        secret("https://registry.test"),
      ),
    ).toEqual(["registry.test/team", "registry.test", "https://registry.test"]);
  });

  it.each([
    [
      { username: "u", password: "p:q" },
      { username: "u", password: "p:q" },
    ],
    [{ auth: base64("u:p:q") }, { username: "u", password: "p:q" }],
    [{ identitytoken: "t", auth: base64("u:") }, { identitytoken: "t" }],
  ])("reads %j", (entry, expected) => {
    const text = JSON.stringify({ auths: { "r.test": entry } });
    const reference = parseReference("r.test/a");
    expect(reference && credentialsFor(reference, [text])).toEqual([
      { ...expected, serveraddress: "r.test" },
    ]);
  });

  it("reads the older format, too", () => {
    expect(usersFor("r.test/a", JSON.stringify({ "r.test": { auth: base64("u:p") } }))).toEqual([
      "u",
    ]);
  });

  it.each(["", "no json", "[]", "null", '{"auths":{"r.test":null}}', '{"auths":{"r.test":{}}}'])(
    "has none in %j",
    (text) => {
      expect(usersFor("r.test/a", text)).toEqual([]);
    },
  );

  it("survives any secret", () => {
    fc.assert(
      fc.property(fc.json(), fc.string(), (json, key) => {
        usersFor("r.test/a", json, JSON.stringify({ auths: { [key]: { auth: json } } }));
      }),
    );
  });
});

describe("globMatches", () => {
  it.each([
    ["a*c", "abbc", true],
    ["a*c", "ac", true],
    ["a*c", "acb", false],
    ["*", "", true],
    ["a*b*c", "axbyc", true],
    ["a*ba", "aba", true],
    ["ab*ba", "aba", false],
    ["a.c", "abc", false],
  ])("%s on %s: %s", (pattern, text, expected) => {
    expect(globMatches(pattern, text)).toBe(expected);
  });

  it("matches everything that was made by filling the stars", () => {
    const piece = fc.stringMatching(/^[ab.]{0,3}$/);
    fc.assert(
      fc.property(fc.array(fc.tuple(piece, piece)), piece, (pairs, last) => {
        const pattern = pairs.map(([fixed]) => `${fixed}*`).join("") + last;
        const text = pairs.map(([fixed, filled]) => fixed + filled).join("") + last;
        expect(globMatches(pattern, text)).toBe(true);
      }),
    );
  });
});
