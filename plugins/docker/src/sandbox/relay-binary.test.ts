import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type Architecture, isArchitecture } from "./elf-file.ts";
import { loopbackAddress, relayBinary } from "./relay-binary.ts";

// Other instructions than these have not been tried on a machine of the other architecture.
it("is to the byte the arm64 program that was run under an emulator", () => {
  expect(relayBinary("arm64").subarray(176).toString("hex")).toMatchInlineSnapshot(
    `"000080d2010ca0d2820380d2e80780d2010000d41f700071c00280d28108005420004079210080d2020080d2c81880d2010000d41f0000718b070054f30300aa010ca0d2820380d2681980d2010000d41f000071ab060054200080d2010ca0d2220080d2080880d2010000d4a000a0d200e081f2010080d2020080d2030080d2040080d2881b80d2010000d41f000071c0010054ab040054e00313aa210ca0d22200a0d2e80780d2010000d41f000071cd030054e20300aa200080d2080880d2010000d4aefeff54000080d2010ca0d22200a0d2e80780d2010000d41f0000716d010054e20300aae00313aa030088d2040080d2050080d2c81980d2010000d41f000071cb0000540efeff54e00313aa210080d2481a80d2010000d4000080d2a80b80d2010000d4e00300cbc80b80d2010000d4"`,
  );
});

it("has code that cannot be written to, and memory that cannot be run", () => {
  const file = relayBinary("amd64");
  expect(file.readUInt32LE(64 + 4)).toBe(5);
  expect(file.readUInt32LE(64 + 56 + 4)).toBe(6);
  expect(file.length).toBeLessThan(512);
});

// An emulator that runs programs of the other architecture, to try those: INTERLINK_TEST_ARM64=qemu-aarch64
const emulator = process.env.INTERLINK_TEST_ARM64;
const here: string =
  emulator === undefined
    ? ({ x64: "amd64", arm64: "arm64" }[process.arch as string] ?? "")
    : "arm64";

describe.runIf(process.platform === "linux" && isArchitecture(here))("run on this machine", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "relay-"));
    await writeFile(join(folder, "relay"), relayBinary(here as Architecture), { mode: 0o755 });
  });
  afterAll(async () => {
    await rm(folder, { recursive: true });
  });

  function relay(): ChildProcessWithoutNullStreams {
    const program = join(folder, "relay");
    const child = emulator === undefined ? spawn(program) : spawn(emulator, [program]);
    // One that has ended takes no input.
    child.stdin.on("error", () => undefined);
    onTestFinished(() => void child.kill("SIGKILL"));
    return child;
  }

  async function listen(act: (socket: Socket) => void, host = "127.0.0.1"): Promise<number> {
    const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on("error", () => undefined);
      act(socket);
    });
    server.listen(0, host);
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const address = server.address();
    return typeof address === "object" ? (address?.port ?? 0) : 0;
  }

  it.each([
    ["IPv4", "127.0.0.1"],
    ["IPv6", "::1"],
  ] as const)("carries bytes both ways at the same time over %s", async (family, host) => {
    const port = await listen((socket) => socket.pipe(socket), host);
    const child = relay();
    // More than all buffers between take: who waits to write in one direction must not wait in the other.
    const bytes = Buffer.alloc(16 * 1024 * 1024, "0123456789abcdef-");
    child.stdin.write(loopbackAddress(family, port));
    child.stdin.end(bytes);
    const [output, [code]] = await Promise.all([buffer(child.stdout), once(child, "exit")]);
    expect(output.subarray(1).equals(bytes)).toBe(true);
    expect(code).toBe(0);
  });

  it("tells the end of input as a half-close, and goes on reading", async () => {
    const port = await listen((socket) => {
      socket.resume();
      socket.on("end", () => socket.end("after your end"));
    });
    const child = relay();
    child.stdin.end(loopbackAddress("IPv4", port));
    expect((await buffer(child.stdout)).subarray(1).toString()).toBe("after your end");
  });

  it("ends with the peer, though its input goes on", async () => {
    const port = await listen((socket) => socket.end("bye"));
    const child = relay();
    child.stdin.write(loopbackAddress("IPv4", port));
    const [output, [code]] = await Promise.all([buffer(child.stdout), once(child, "exit")]);
    expect(output.subarray(1).toString()).toBe("bye");
    expect(code).toBe(0);
  });

  it("says nothing and ends with the error's number when nobody listens", async () => {
    const port = await listen(() => undefined);
    const child = relay();
    // Nobody listens there on IPv6.
    child.stdin.write(loopbackAddress("IPv6", port));
    const [output, [code]] = await Promise.all([buffer(child.stdout), once(child, "exit")]);
    expect(output).toHaveLength(0);
    expect(code).toBe(111);
  });

  it("ends when it is given no address", async () => {
    const child = relay();
    child.stdin.end("short");
    expect(await once(child, "exit")).toEqual([22, null]);
  });
});
