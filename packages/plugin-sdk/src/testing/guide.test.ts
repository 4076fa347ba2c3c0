import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";

test("the guide for plugin authors shows the example that the tests run", async () => {
  const source = await readFile(new URL("example-plugin.ts", import.meta.url), "utf8");
  const guide = await readFile(
    new URL("../../../../docs/writing-a-plugin.md", import.meta.url),
    "utf8",
  );
  const shown = /<!-- packages\/plugin-sdk\/src\/testing\/example-plugin\.ts -->\n```ts\n(.*?)```/s;
  const withoutLintNote = source.replace(/^\/\/ oxlint-disable.*\n\n/, "");
  expect(
    shown.exec(guide)?.[1],
    "copy example-plugin.ts, without its first line, into docs/writing-a-plugin.md",
  ).toBe(withoutLintNote);
});
