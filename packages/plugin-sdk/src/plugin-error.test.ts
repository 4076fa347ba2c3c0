import { expect, test } from "vitest";
import { PluginError } from "./plugin-error.ts";

test("a PluginError stays itself", () => {
  const error = new PluginError("rejected", "no GPU here", { cause: new Error("x") });
  expect(PluginError.from(error)).toBe(error);
  expect(error.httpStatus).toBe(422);
});

test("one from another copy of this package keeps code and words", () => {
  const foreign = Object.assign(new Error("gone"), { name: "PluginError", code: "not-found" });
  expect(PluginError.from(foreign)).toMatchObject({ code: "not-found", message: "gone" });
});

test.each([new Error("password=hunter2"), "text", undefined, { code: "invalid" }])(
  "anything else is internal and gives nothing away: %j",
  (thrown) => {
    const error = PluginError.from(thrown);
    expect(error).toMatchObject({ code: "internal", cause: thrown });
    expect(error.message).toBe("The plugin failed unexpectedly.");
  },
);

test("an abort is unavailable, so that the caller repeats", () => {
  const aborted = AbortSignal.abort();
  expect(PluginError.from(aborted.reason)).toMatchObject({ code: "unavailable" });
});
