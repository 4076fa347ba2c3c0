import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CliContext } from "../cli-context.ts";
import { runCommand } from "../testing/run-command.ts";
import { nextRefreshMs } from "../token/refresh.ts";
import { token } from "./token.ts";

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "interlink-token-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** An issuer that answers with what `answer` gives; it keeps what it was asked. */
async function issuer(answer: (form: URLSearchParams) => [number, object | string]) {
  const asked: Record<string, string>[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const form = new URLSearchParams(Buffer.concat(parts).toString());
      asked.push(Object.fromEntries(form));
      const [status, body] = answer(form);
      response.writeHead(status, { location: "http://127.0.0.1:1/" });
      response.end(typeof body === "string" ? body : JSON.stringify(body));
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

async function secrets(name: string, files: Record<string, string>): Promise<string> {
  const folder = join(directory, name);
  await mkdir(folder, { recursive: true });
  for (const [file, text] of Object.entries(files)) await writeFile(join(folder, file), text);
  return folder;
}

const common = (url: string) => ["token", "--log-level", "silent", "--token-url", url];

describe("interlink token", () => {
  test("gets a token by the refresh token, and keeps the one that takes its place", async () => {
    await using iam = await issuer(() => [
      200,
      { access_token: "first", expires_in: 600, refresh_token: "exchanged" },
    ]);
    const folder = await secrets("a", { "client-secret": "s3cret\n", "refresh-token": "given\n" });
    const out = join(directory, "token");
    const argv = [...common(iam.url), "--client-id", "me", "--secrets", folder, "--out", out];
    await runCommand([...argv, "--audience", "site", "--once"]);
    await runCommand([...argv, "--once"]);
    expect(iam.asked).toEqual([
      {
        grant_type: "refresh_token",
        client_id: "me",
        client_secret: "s3cret",
        refresh_token: "given",
        audience: "site",
      },
      {
        grant_type: "refresh_token",
        client_id: "me",
        client_secret: "s3cret",
        refresh_token: "exchanged",
      },
    ]);
    expect(await readFile(out, "utf8")).toBe("first\n");
    expect(await readFile(`${out}-refresh`, "utf8")).toBe("exchanged");
    expect((await stat(out)).mode & 0o777).toBe(0o600);
    expect((await stat(`${out}-refresh`)).mode & 0o777).toBe(0o600);
  });

  test("gets a token as the client itself, told by the variables of the earlier program", async () => {
    await using iam = await issuer(() => [200, { access_token: "own" }]);
    const out = join(directory, "own");
    const variables = {
      IAM_TOKEN_ENDPOINT: iam.url,
      IAM_CLIENT_ID: "me",
      IAM_GRANT_TYPE: "client_credentials",
      IAM_VK_AUD: "site",
      TOKEN_PATH: out,
    };
    const before = { ...process.env };
    Object.assign(process.env, variables);
    try {
      await runCommand(["token", "--once", "--log-level", "silent"], {
        env: { IAM_CLIENT_SECRET: "s3cret" },
      });
    } finally {
      for (const name of Object.keys(variables)) {
        if (before[name] === undefined) delete process.env[name];
        else process.env[name] = before[name];
      }
    }
    expect(iam.asked).toEqual([
      {
        grant_type: "client_credentials",
        client_id: "me",
        client_secret: "s3cret",
        audience: "site",
      },
    ]);
    expect(await readFile(out, "utf8")).toBe("own\n");
  });

  test.each<[number, object | string, RegExp]>([
    [400, { error: "invalid_grant", error_description: "it ended" }, /invalid_grant: it ended\.$/],
    [200, { token: "elsewhere" }, /gave no token \(HTTP 200\)\.$/],
    [200, "<html>", /gave no token \(HTTP 200\)\.$/],
    [302, {}, /cannot be reached/],
  ])("says why there is none (%i %j), and nothing secret", async (status, body, words) => {
    await using iam = await issuer(() => [status, body]);
    const folder = await secrets("b", { "client-secret": "s3cret", "refresh-token": "r3fresh" });
    const argv = ["--client-id", "me", "--secrets", folder, "--out", join(directory, "none")];
    const error: unknown = await runCommand([...common(iam.url), ...argv, "--once"]).catch(
      (thrown: unknown) => thrown,
    );
    expect(String(error)).toMatch(words);
    expect(String(error)).not.toMatch(/s3cret|r3fresh/);
    await expect(stat(join(directory, "none"))).rejects.toThrow(/ENOENT/);
  });

  test("goes on after a failure, and ends when it is asked to", async () => {
    let calls = 0;
    await using iam = await issuer(() =>
      calls++ === 0 ? [503, "busy"] : [200, { access_token: "late", expires_in: 3600 }],
    );
    const out = join(directory, "late");
    const stop = new AbortController();
    const ended = token(
      {
        tokenUrl: iam.url,
        clientId: "me",
        grant: "client_credentials",
        out,
        logLevel: "silent",
      },
      { env: {}, signal: stop.signal } as CliContext,
    );
    await expect
      .poll(() => readFile(out, "utf8").catch(() => ""), { timeout: 45_000 })
      .toBe("late\n");
    stop.abort();
    await ended;
    expect(iam.asked).toHaveLength(2);
  }, 60_000);

  test.each<[string[], RegExp]>([
    [[], /--token-url <url>, or the variable IAM_TOKEN_ENDPOINT/],
    [["--token-url", "http://x", "--client-id", "a", "--out", "/x/y"], /no refresh token/],
  ])("says what is missing: %j", async (argv, words) => {
    await expect(runCommand(["token", "--log-level", "silent", ...argv])).rejects.toThrow(words);
  });
});

test.each<[number | undefined, number]>([
  [undefined, 400_000],
  [900, 600_000],
  [1, 10_000],
  [1e9, 3_600_000],
])("a token of %s seconds is renewed after %i ms", (seconds, expected) => {
  expect(nextRefreshMs(seconds)).toBe(expected);
});
