import { chmod, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Authenticate } from "./authenticate.ts";
import { createTokenFile } from "./token-file.ts";

const FIRST = "first-token-0123456789";
const SECOND = "second-token-0123456789";
let directory: string;
let file: string;
let clock = 0;
const lines: string[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "interlink-tokens-"));
  file = join(directory, "tokens");
  clock = 0;
  lines.length = 0;
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function tokens(text: string): Promise<Authenticate> {
  await writeFile(file, text, { mode: 0o600 });
  const note = (about: object, words: string) => void lines.push(JSON.stringify({ about, words }));
  return createTokenFile({ file, logger: { info: note, warn: note }, now: () => clock });
}

const asking = (authorization?: string) => ({
  method: "POST",
  path: "/create",
  headers: authorization === undefined ? {} : { authorization },
});

describe("a file of tokens", () => {
  test.each([
    [`Bearer ${FIRST}`, true],
    [`bearer   ${FIRST} `, true],
    [`Bearer ${SECOND}`, true],
    ["Bearer short", false],
    ["Bearer # a comment of length", false],
    [`Bearer ${FIRST}x`, false],
    [`Bearer ${FIRST.slice(0, -1)}`, false],
    [`Basic ${FIRST}`, false],
    [`Bearer ${"x".repeat(100_000)}`, false],
    ["Bearer ", false],
    [undefined, false],
  ])("lets %j in: %s", async (header, isLetIn) => {
    const authenticate = await tokens(
      `# tokens\n${FIRST} the node of the lab\n\n  ${SECOND}\nshort\n#commented-out-0123456789\n`,
    );
    const answer = Promise.resolve(authenticate(asking(header)));
    if (isLetIn) await expect(answer).resolves.toBeDefined();
    else await expect(answer).rejects.toMatchObject({ code: "refused", httpStatus: 401 });
  });

  test.each([
    [FIRST, { name: "line 1 of the tokens" }],
    [`${FIRST} the lab`, { name: "the lab" }],
    [`${FIRST} lab namespaces=lab,lab-*`, { name: "lab", namespaces: ["lab", "lab-*"] }],
    [
      `# ours\n${FIRST} namespaces=a namespaces=b`,
      { name: "line 2 of the tokens", namespaces: ["a", "b"] },
    ],
    [`${FIRST} namespaces=`, { name: "line 1 of the tokens", namespaces: [] }],
  ])("tells by the line %j whose a token is", async (line, caller) => {
    const authenticate = await tokens(line);
    expect(await authenticate(asking(`Bearer ${FIRST}`))).toEqual(caller);
  });

  test("never has a token in its refusal or in the log", async () => {
    const authenticate = await tokens(FIRST);
    await expect(authenticate(asking(`Bearer ${SECOND}`))).rejects.toSatisfy(
      (error) => !String(error).includes(SECOND) && !JSON.stringify(error).includes(SECOND),
    );
    expect(lines.join("")).not.toMatch(/token-0123456789/);
  });

  test("is read again when another takes its place", async () => {
    const authenticate = await tokens(FIRST);
    await writeFile(`${file}.new`, SECOND);
    await rename(`${file}.new`, file);
    clock += 1000;
    await authenticate(asking(`Bearer ${SECOND}`));
    await expect(authenticate(asking(`Bearer ${FIRST}`))).rejects.toMatchObject({
      httpStatus: 401,
    });
  });

  test.each([
    ["is gone", () => rm(file)],
    ["is emptied", () => writeFile(file, "\n")],
  ])("that %s leaves the last tokens in force, and says so", async (_, change) => {
    const authenticate = await tokens(FIRST);
    await change();
    clock += 1000;
    await authenticate(asking(`Bearer ${FIRST}`));
    clock += 1000;
    await authenticate(asking(`Bearer ${FIRST}`));
    expect(lines.filter((line) => line.includes("the last ones count"))).toHaveLength(1);
  });

  test("that anyone may write is refused at the start, and not taken over later", async () => {
    await writeFile(file, FIRST);
    await chmod(file, 0o666);
    await expect(tokens(FIRST)).rejects.toThrow(/chmod o-w/);
    await chmod(file, 0o600);
    const authenticate = await tokens(FIRST);
    await writeFile(file, SECOND);
    await chmod(file, 0o602);
    clock += 1000;
    await expect(authenticate(asking(`Bearer ${SECOND}`))).rejects.toThrow();
    await authenticate(asking(`Bearer ${FIRST}`));
  });

  test("that anyone may read is told once", async () => {
    await writeFile(file, FIRST);
    await chmod(file, 0o644);
    await tokens(FIRST);
    expect(lines.filter((line) => line.includes("chmod o-r"))).toHaveLength(1);
  });

  test("that is not there, or has no token, is an error at the start", async () => {
    const logger = { info: () => {}, warn: () => {} };
    await expect(createTokenFile({ file, logger, now: () => 0 })).rejects.toThrow(/ENOENT/);
    await expect(tokens("# none\nshort\n")).rejects.toThrow(/has no token/);
  });
});
