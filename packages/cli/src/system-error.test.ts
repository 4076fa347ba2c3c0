import { describe, expect, test } from "vitest";
import { systemErrorSentence } from "./system-error.ts";

const systemError = (fields: object) => Object.assign(new Error("raw"), fields);

describe("what the system refused", () => {
  test.each([
    [
      { code: "EADDRINUSE", syscall: "listen", address: "127.0.0.1", port: 3000 },
      "127.0.0.1:3000 is in use by another program. Stop it, or listen elsewhere.",
    ],
    [
      { code: "EADDRINUSE", syscall: "listen", address: "/run/x.sock", port: -1 },
      "/run/x.sock is in use by another program. Stop it, or listen elsewhere.",
    ],
    [
      { code: "EACCES", syscall: "listen", address: "0.0.0.0", port: 80 },
      "This user may not listen on 0.0.0.0:80. Take a port above 1023, or a directory of your own.",
    ],
    [
      { code: "EACCES", syscall: "mkdir", path: "/var/lib/x" },
      "This user may not write or read /var/lib/x (EACCES). Give a directory of your own.",
    ],
  ])("%o is told as a sentence", (fields, sentence) => {
    expect(systemErrorSentence(systemError(fields))).toBe(sentence);
  });

  test("anything else keeps its own words", () => {
    expect(systemErrorSentence(new Error("x"))).toBeUndefined();
    expect(systemErrorSentence(systemError({ code: "ECONNREFUSED", syscall: "connect" }))).toBe(
      undefined,
    );
    expect(systemErrorSentence("x")).toBeUndefined();
  });
});
