import type { LogOptions } from "@interlink/protocol";
import { ZERO_TIME } from "@interlink/protocol";
import { expect, test } from "vitest";
import type { RuntimeLogOptions } from "../runtime/container-runtime.ts";
import { runtimeLogOptions } from "./log-options.ts";

const NOW = Date.parse("2026-01-01T00:01:00Z");
const unset: LogOptions = {
  Tail: 0,
  Bytes: 0,
  Timestamps: false,
  Follow: false,
  Previous: false,
  SinceSeconds: 0,
  SinceTime: ZERO_TIME,
};

test.each<[string, Partial<LogOptions>, Partial<RuntimeLogOptions>]>([
  ["nothing set", {}, {}],
  ["a tail", { Tail: 3 }, { tailLines: 3 }],
  ["a tail of 0 that is meant", { Tail: 0, TailIsSet: true }, { tailLines: 0 }],
  ["bytes", { Bytes: 10 }, { limitBytes: 10 }],
  ["a stream", { Stream: "Stderr" }, { stream: "Stderr" }],
  ["seconds", { SinceSeconds: 30 }, { sinceTime: NOW - 30_000 }],
  ["a time", { SinceTime: "2026-01-01T00:00:00Z" }, { sinceTime: NOW - 60_000 }],
  ["an unreadable time", { SinceTime: "yesterday" }, {}],
  ["switches", { Follow: true, Timestamps: true }, { follow: true, timestamps: true }],
])("%s", (_name, options, expected) => {
  expect(runtimeLogOptions({ ...unset, ...options }, NOW)).toEqual({
    follow: false,
    timestamps: false,
    ...expected,
  });
});
