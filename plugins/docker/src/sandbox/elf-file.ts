/** Architectures by Go's name, as the engine tells them. */
export type Architecture = "amd64" | "arm64";

export function isArchitecture(name: string): name is Architecture {
  return name === "amd64" || name === "arm64";
}

/** Where the memory of a program begins that asks for some. */
export const MEMORY_ADDRESS = 0x600000;

const LOAD_ADDRESS = 0x400000;
const ELF_HEADER_SIZE = 64;
const PROGRAM_HEADER_SIZE = 56;
const READ = 4;
const WRITE = 2;
const EXECUTE = 1;

/** A whole static program: headers and code, which begins to run at its first byte, and `memory` bytes of zeros. */
export function elfFile(architecture: Architecture, code: Buffer, memory = 0): Buffer {
  const segments = memory === 0 ? 1 : 2;
  const codeOffset = ELF_HEADER_SIZE + segments * PROGRAM_HEADER_SIZE;
  const size = codeOffset + code.length;
  return Buffer.concat([
    elfHeader(architecture, segments, LOAD_ADDRESS + codeOffset),
    programHeader(READ | EXECUTE, LOAD_ADDRESS, size, size),
    ...(memory === 0 ? [] : [programHeader(READ | WRITE, MEMORY_ADDRESS, 0, memory)]),
    code,
  ]);
}

function elfHeader(architecture: Architecture, segments: number, entry: number): Buffer {
  const header = Buffer.alloc(ELF_HEADER_SIZE);
  header.write("\x7fELF", "latin1");
  header[4] = 2; // 64 bit
  header[5] = 1; // little-endian
  header[6] = 1; // version of ELF
  header.writeUInt16LE(2, 16); // ET_EXEC
  header.writeUInt16LE(architecture === "amd64" ? 62 : 183, 18); // EM_X86_64, EM_AARCH64
  header.writeUInt32LE(1, 20); // version again
  header.writeBigUInt64LE(BigInt(entry), 24);
  header.writeBigUInt64LE(BigInt(ELF_HEADER_SIZE), 32); // where the program headers are
  header.writeUInt16LE(ELF_HEADER_SIZE, 52);
  header.writeUInt16LE(PROGRAM_HEADER_SIZE, 54);
  header.writeUInt16LE(segments, 56);
  return header;
}

/** A segment from the beginning of the file. */
function programHeader(
  flags: number,
  address: number,
  sizeInFile: number,
  sizeInMemory: number,
): Buffer {
  const header = Buffer.alloc(PROGRAM_HEADER_SIZE);
  header.writeUInt32LE(1, 0); // PT_LOAD
  header.writeUInt32LE(flags, 4);
  header.writeBigUInt64LE(BigInt(address), 16); // virtual
  header.writeBigUInt64LE(BigInt(address), 24); // physical
  header.writeBigUInt64LE(BigInt(sizeInFile), 32);
  header.writeBigUInt64LE(BigInt(sizeInMemory), 40);
  header.writeBigUInt64LE(0x10000n, 48); // alignment, for pages of up to 64 KiB
  return header;
}
