import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { assemble, int32 } from "./assemble.ts";
import { isArchitecture } from "./elf-file.ts";
import { pauseBinary } from "./pause-binary.ts";

describe("the program of sandboxes", () => {
  it.each([
    ["amd64", 0x3e],
    ["arm64", 0xb7],
  ] as const)(
    "is a static ELF file for %s that starts behind its headers",
    (architecture, machine) => {
      const file = pauseBinary(architecture);
      expect(file.subarray(0, 4).toString("latin1")).toBe("\x7fELF");
      expect(file.readUInt16LE(18)).toBe(machine);
      expect(file.readBigUInt64LE(24)).toBe(0x400078n);
      // The one segment is the whole file, and cannot be written to.
      expect(file.readBigUInt64LE(64 + 32)).toBe(BigInt(file.length));
      expect(file.readUInt32LE(64 + 4)).toBe(5);
      expect(file.length).toBeLessThan(300);
    },
  );

  // Other instructions than these have not been tried on a machine of the other architecture.
  it("is to the byte the arm64 program that was run under an emulator", () => {
    expect(pauseBinary("arm64").subarray(120).toString("hex")).toBe(
      "000080d261030010020080d2030180d2e81080d2010000d4c0020010010080d2020080d2030180d2281180d2010000d4" +
        "1f0000712bffff541f4400714101005400008092010080d2220080d2030080d2882080d2010000d41f0000712cffff54" +
        "cefdff54000080d2a80b80d2010000d40240010000000000",
    );
  });

  const here = { x64: "amd64", arm64: "arm64" }[process.arch as string] ?? "";
  const runs = process.platform === "linux" && isArchitecture(here);

  describe.runIf(runs)("run on this machine", () => {
    async function withProgram(act: (child: ChildProcess) => Promise<void>): Promise<void> {
      const folder = await mkdtemp(join(tmpdir(), "pause-"));
      await writeFile(join(folder, "pause"), pauseBinary(here as "amd64"), { mode: 0o755 });
      const child = spawn(join(folder, "pause"), { stdio: "ignore" });
      try {
        await once(child, "spawn");
        await waiting(child);
        await act(child);
      } finally {
        child.kill("SIGKILL");
        await rm(folder, { recursive: true });
      }
    }

    /** Until it sleeps, which it does nowhere but where it waits for signals. */
    async function waiting(child: ChildProcess): Promise<void> {
      await expect
        .poll(() => readFile(`/proc/${child.pid}/status`, "utf8"), { timeout: 30_000 })
        .toMatch(/^Name:\s+pause\n[^]*State:\s+S/);
    }

    it.each(["SIGTERM", "SIGINT"] as const)("ends with 0 on %s", async (signal) => {
      await withProgram(async (child) => {
        const ended = once(child, "exit");
        child.kill(signal);
        expect(await ended).toEqual([0, null]);
      });
    });

    it("lives through the end of children", async () => {
      await withProgram(async (child) => {
        child.kill("SIGCHLD");
        await waiting(child);
        const ended = once(child, "exit");
        child.kill("SIGTERM");
        expect(await ended).toEqual([0, null]);
      });
    });
  });
});

describe("assemble", () => {
  it("knows the distance to a place before and behind", () => {
    const refer = (refersTo: string) => ({
      size: 4,
      refersTo,
      encode: (distance: number) => int32(distance),
    });
    const code = assemble([
      refer("end"),
      { here: "middle" },
      [1, 2],
      refer("middle"),
      { here: "end" },
    ]);
    expect(code).toEqual(Buffer.from([10, 0, 0, 0, 1, 2, 0xfe, 0xff, 0xff, 0xff]));
  });

  it("refuses a place that does not exist", () => {
    expect(() => assemble([{ size: 1, refersTo: "nowhere", encode: () => [0] }])).toThrow(
      "nowhere",
    );
  });
});
