import { describe, expect, it } from "vitest";
import { offers } from "./capabilities.ts";
import { httpStatusOf, ProtocolError } from "./errors.ts";

describe("ProtocolError", () => {
  it("passes itself through `from` and keeps anything else as cause", () => {
    const own = new ProtocolError("timeout", "late");
    expect(ProtocolError.from(own)).toBe(own);
    const cause = new TypeError("oops");
    expect(ProtocolError.from(cause)).toMatchObject({ code: "internal", message: "oops", cause });
    expect(ProtocolError.from(undefined, "invalid")).toMatchObject({ code: "invalid" });
  });

  it.each([
    [new ProtocolError("refused", "x", { httpStatus: 409 }), 409, false],
    [new ProtocolError("refused", "x", { httpStatus: 429 }), 429, true],
    [new ProtocolError("refused", "x", { httpStatus: 500 }), 500, true],
    [new ProtocolError("refused", "x", { httpStatus: 302 }), 502, false],
    [new ProtocolError("unreachable", "x"), 502, true],
    [new ProtocolError("timeout", "x"), 504, true],
    [new ProtocolError("invalid", "x"), 400, false],
    [new ProtocolError("too-large", "x"), 413, false],
  ])("%# answers with its status and knows whether to try again", (error, status, transient) => {
    expect(httpStatusOf(error)).toBe(status);
    expect(error.transient).toBe(transient);
  });
});

describe("offers", () => {
  const peer = { protocol: "interlink" as const, agent: "x", features: ["status-stream"] };
  it.each([
    [undefined, false],
    [{ ...peer, version: "1.0" }, true],
    [{ ...peer, version: "1.7" }, true],
    [{ ...peer, version: "2.0" }, false],
    [{ ...peer, version: "1.0", features: [] }, false],
  ])("%# goes by feature and major version", (capabilities, expected) => {
    expect(offers(capabilities, "status-stream")).toBe(expected);
  });
});
