import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KubeletError } from "./kubelet-error.ts";
import { parseLogOptions } from "./log-options.ts";

const parse = (query: string) => parseLogOptions(new URLSearchParams(query));
const plain = { follow: false, previous: false, timestamps: false };

describe("parseLogOptions", () => {
  it.each([
    ["", plain],
    ["stream=All", plain],
    ["follow=true&previous=1&timestamps", { follow: true, previous: true, timestamps: true }],
    ["follow=false&previous=0&timestamps=False", plain],
    ["tailLines=0", { ...plain, tailLines: 0 }],
    ["tailLines=5&stream=All", { ...plain, tailLines: 5 }],
    ["stream=Stderr", { ...plain, stream: "Stderr" }],
    ["stream=Stdout&limitBytes=9", { ...plain, stream: "Stdout", limitBytes: 9 }],
    ["tail=7", { ...plain, tailLines: 7 }],
    ["tail=all&tailLines=5", plain],
    ["tailLines=", plain],
    ["sinceSeconds=60&limitBytes=1", { ...plain, sinceSeconds: 60, limitBytes: 1 }],
    [
      "sinceTime=2026-01-01T00:00:00.5%2B02:00",
      { ...plain, sinceTime: "2026-01-01T00:00:00.5+02:00" },
    ],
  ])("reads %j", (query, expected) => {
    expect(parse(query)).toEqual(expected);
  });

  it.each([
    ["tailLines=x", 400],
    ["limitBytes=1.5", 400],
    ["sinceTime=yesterday", 400],
    ["sinceTime=2026-13-01T00:00:00Z", 400],
    ["tailLines=-1", 422],
    ["limitBytes=0", 422],
    ["sinceSeconds=0", 422],
    ["sinceSeconds=1&sinceTime=2026-01-01T00:00:00Z", 422],
    ["stream=Stdout&tailLines=1", 422],
    ["stream=Both", 422],
  ])("refuses %j with %i", (query, code) => {
    const error = (() => {
      try {
        return parse(query);
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(error).toBeInstanceOf(KubeletError);
    expect((error as KubeletError).httpCode).toBe(code);
  });

  it("answers any query with options or with a KubeletError", () => {
    const name = fc.constantFrom(
      "tailLines",
      "tail",
      "limitBytes",
      "sinceSeconds",
      "sinceTime",
      "follow",
      "stream",
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(name, fc.string())), (pairs) => {
        try {
          const {
            tailLines = 0,
            limitBytes = 1,
            sinceSeconds = 1,
          } = parseLogOptions(new URLSearchParams(pairs));
          expect(Math.min(tailLines + 1, limitBytes, sinceSeconds)).toBeGreaterThanOrEqual(1);
        } catch (error) {
          expect(error).toBeInstanceOf(KubeletError);
        }
      }),
    );
  });
});
