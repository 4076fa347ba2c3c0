import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CliError } from "./cli-error.ts";
import { parseListen, parsePort } from "./listen.ts";

describe("addresses to listen on", () => {
  test.each([
    ["127.0.0.1:3000", { host: "127.0.0.1", port: 3000 }],
    ["localhost:0", { host: "localhost", port: 0 }],
    [":3000", { host: "0.0.0.0", port: 3000 }],
    ["[::1]:3000", { host: "::1", port: 3000 }],
    ["unix:///run/a.sock", { unixSocket: "/run/a.sock" }],
  ])("%s is understood", (text, expected) => {
    expect(parseListen(text)).toEqual(expected);
  });

  test.each(["3000", "host", "host:port", "host:99999", "http://host:1", "unix:", "::1:3000"])(
    "%s is refused with the forms that are allowed",
    (text) => {
      expect(() => parseListen(text)).toThrow(/give host:port/);
    },
  );

  test("any text is an address with a possible port, or a usage error", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.ipV4(), fc.webAuthority({ withPort: true })), (text) => {
        try {
          const address = parseListen(text);
          if ("port" in address) expect(address.port).toBeLessThan(65_536);
        } catch (error) {
          expect(error).toBeInstanceOf(CliError);
        }
      }),
    );
  });

  test("a port that is none is refused with the name of its option", () => {
    expect(parsePort("10250", "--port")).toBe(10_250);
    for (const text of ["", "-1", "65536", "1e3", "abc"]) {
      expect(() => parsePort(text, "--port")).toThrow(/^--port: /);
    }
  });
});
