import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { askForConfig } from "./questions.ts";

/** A dialogue whose input is a terminal or not; what was asked is in `asked`. */
function dialogue({ isTTY }: { isTTY: boolean }) {
  const input = Object.assign(new PassThrough(), { isTTY });
  const end = new AbortController();
  const asked = { text: "" };
  const answered = askForConfig(
    input,
    { write: (text) => (asked.text += text) },
    {
      signal: end.signal,
      fault: (text) => (text.includes("99999") ? "interlink_port: too large." : undefined),
    },
  );
  return { input, end, asked, answered };
}

const REST = "process\n\nlab\n\n\n\n";

test("asks again on a terminal, with what is wrong, until the answer is right", async () => {
  const { input, asked, answered } = dialogue({ isTTY: true });
  input.end(`site.example.org\n99999\n4000\n${REST}`);
  expect(JSON.parse(await answered)).toMatchObject({
    interlink_ip: "site.example.org",
    interlink_port: 4000,
    plugin: "process",
    kubelet_node_name: "my-site",
  });
  expect(asked.text.split("interlink_port: too large.\n")).toHaveLength(2);
});

test("takes answers that are not typed as they are: each is that of its question", async () => {
  const { input, answered } = dialogue({ isTTY: false });
  input.end(`site.example.org\n99999\n${REST}`);
  expect(JSON.parse(await answered)).toMatchObject({ interlink_port: 99999, plugin: "process" });
});

test("ends when it is asked to end, while it waits for an answer", async () => {
  const { end, answered } = dialogue({ isTTY: true });
  end.abort(new Error("asked to end"));
  await expect(answered).rejects.toThrow("asked to end");
});

test("says what to do when the answers end too soon", async () => {
  const { input, answered } = dialogue({ isTTY: false });
  input.end("site.example.org\n");
  await expect(answered).rejects.toThrow("give --config FILE");
});
