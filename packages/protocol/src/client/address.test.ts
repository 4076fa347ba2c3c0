import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ProtocolError } from "../errors.ts";
import { parseAddress } from "./address.ts";

describe("parseAddress", () => {
  it.each([
    ["http://host:3000", { kind: "tcp", origin: "http://host:3000", basePath: "", tls: false }],
    ["https://host", { kind: "tcp", origin: "https://host", basePath: "", tls: true }],
    ["http://host:80/", { kind: "tcp", origin: "http://host", basePath: "", tls: false }],
    [
      "https://gateway/sites/a/",
      { kind: "tcp", origin: "https://gateway", basePath: "/sites/a", tls: true },
    ],
    ["http://[::1]:3000", { kind: "tcp", origin: "http://[::1]:3000", basePath: "", tls: false }],
    [
      "unix:///run/p.sock",
      { kind: "unix", origin: "http://unix", basePath: "", socketPath: "/run/p.sock" },
    ],
    ["unix://p.sock", { kind: "unix", origin: "http://unix", basePath: "", socketPath: "p.sock" }],
  ])("reads %s", (address, expected) => {
    expect(parseAddress(address)).toEqual(expected);
  });

  it.each(["", "host:3000", "ftp://host", "unix://", "http://user:secret@host", "http://h?x=1"])(
    "refuses %j and names the accepted forms, without a password",
    (address) => {
      expect(() => parseAddress(address)).toThrow(
        expect.objectContaining({
          code: "invalid",
          message: expect.stringMatching(/^(?!.*secret).*unix:\/\/\/path/),
        }),
      );
    },
  );

  it("throws nothing but ProtocolError", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.webUrl()), (address) => {
        try {
          parseAddress(address);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
        }
      }),
    );
  });
});
