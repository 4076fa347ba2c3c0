import { assemble, int32, type Piece } from "./assemble.ts";

/**
 * The program that holds a pod's namespaces open, as a whole ELF file of about 220 bytes made here: no compiler, no
 * registry and no file of this package is needed on a user's machine. What it does, in C:
 *
 *     uint64_t set = SIGINT | SIGTERM | SIGCHLD;        // bit n-1 for signal n
 *     rt_sigprocmask(SIG_BLOCK, &set, NULL, 8);         // blocked signals reach even a process 1
 *     for (;;) {
 *       int signal = rt_sigtimedwait(&set, NULL, NULL, 8);
 *       if (signal < 0) continue;                       // interrupted
 *       if (signal != SIGCHLD) exit(0);
 *       while (wait4(-1, NULL, WNOHANG, NULL) > 0);     // shareProcessNamespace: we are everyone's process 1
 *     }
 */
export function pauseBinary(architecture: PauseArchitecture): Buffer {
  const code = assemble([
    ...(architecture === "amd64" ? AMD64 : ARM64),
    { here: "set" },
    int32(SIGNAL_SET),
    int32(0),
  ]);
  return Buffer.concat([elfHeader(architecture), programHeader(CODE_OFFSET + code.length), code]);
}

/** Architectures by Go's name, as the engine tells them. */
export type PauseArchitecture = "amd64" | "arm64";

export function isPauseArchitecture(name: string): name is PauseArchitecture {
  return name === "amd64" || name === "arm64";
}

const SIGCHLD = 17;
const SIGNAL_SET = (1 << (2 - 1)) | (1 << (15 - 1)) | (1 << (SIGCHLD - 1));

/** System calls take their number in eax, arguments in rdi, rsi, rdx, r10. Distances count from the next instruction. */
const AMD64: readonly Piece[] = [
  [0x31, 0xff], // xor edi, edi: SIG_BLOCK
  amd64Relative([0x48, 0x8d, 0x35], "set"), // lea rsi, [set]
  [0x31, 0xd2], // xor edx, edx
  [0x41, 0xba, ...int32(8)], // mov r10d, 8
  [0xb8, ...int32(14)], // mov eax, rt_sigprocmask
  [0x0f, 0x05], // syscall
  { here: "wait" },
  amd64Relative([0x48, 0x8d, 0x3d], "set"), // lea rdi, [set]
  [0x31, 0xf6], // xor esi, esi
  [0x31, 0xd2], // xor edx, edx
  [0x41, 0xba, ...int32(8)], // mov r10d, 8
  [0xb8, ...int32(128)], // mov eax, rt_sigtimedwait
  [0x0f, 0x05], // syscall
  [0x85, 0xc0], // test eax, eax
  amd64Relative([0x0f, 0x88], "wait"), // js wait
  [0x83, 0xf8, SIGCHLD], // cmp eax, SIGCHLD
  amd64Relative([0x0f, 0x85], "exit"), // jne exit
  { here: "reap" },
  [0xbf, ...int32(-1)], // mov edi, -1: any child
  [0x31, 0xf6], // xor esi, esi
  [0xba, ...int32(1)], // mov edx, WNOHANG
  [0x45, 0x31, 0xd2], // xor r10d, r10d
  [0xb8, ...int32(61)], // mov eax, wait4
  [0x0f, 0x05], // syscall
  [0x85, 0xc0], // test eax, eax
  amd64Relative([0x0f, 0x8f], "reap"), // jg reap
  amd64Relative([0xe9], "wait"), // jmp wait
  { here: "exit" },
  [0x31, 0xff], // xor edi, edi
  [0xb8, ...int32(60)], // mov eax, exit
  [0x0f, 0x05], // syscall
];

function amd64Relative(opcode: readonly number[], refersTo: string): Piece {
  const size = opcode.length + 4;
  return { size, refersTo, encode: (distance) => [...opcode, ...int32(distance - size)] };
}

/** System calls take their number in x8, arguments in x0 to x3. Every instruction is one word. */
const ARM64: readonly Piece[] = [
  arm64Move(0, 0), // mov x0, SIG_BLOCK
  arm64Address(1, "set"), // adr x1, set
  arm64Move(2, 0),
  arm64Move(3, 8),
  arm64Move(8, 135), // rt_sigprocmask
  int32(0xd4000001), // svc 0
  { here: "wait" },
  arm64Address(0, "set"), // adr x0, set
  arm64Move(1, 0),
  arm64Move(2, 0),
  arm64Move(3, 8),
  arm64Move(8, 137), // rt_sigtimedwait
  int32(0xd4000001), // svc 0
  int32(0x7100001f), // cmp w0, 0
  arm64Branch(0xb, "wait"), // b.lt wait
  int32(0x7100001f | (SIGCHLD << 10)), // cmp w0, SIGCHLD
  arm64Branch(0x1, "exit"), // b.ne exit
  { here: "reap" },
  int32(0x92800000), // mov x0, -1: any child
  arm64Move(1, 0),
  arm64Move(2, 1), // WNOHANG
  arm64Move(3, 0),
  arm64Move(8, 260), // wait4
  int32(0xd4000001), // svc 0
  int32(0x7100001f), // cmp w0, 0
  arm64Branch(0xc, "reap"), // b.gt reap
  arm64Branch(0xe, "wait"), // b.al wait
  { here: "exit" },
  arm64Move(0, 0),
  arm64Move(8, 93), // exit
  int32(0xd4000001), // svc 0
];

/** `mov xN, value` of up to 16 bits. */
function arm64Move(register: number, value: number): Piece {
  return int32(0xd2800000 | (value << 5) | register);
}

/** `adr xN, place`: a distance of 21 bits, its lowest two apart. */
function arm64Address(register: number, refersTo: string): Piece {
  return {
    size: 4,
    refersTo,
    encode: (distance) =>
      int32(0x10000000 | ((distance & 3) << 29) | (((distance >> 2) & 0x7ffff) << 5) | register),
  };
}

/** `b.condition place`: a distance in words of 19 bits. */
function arm64Branch(condition: number, refersTo: string): Piece {
  return {
    size: 4,
    refersTo,
    encode: (distance) => int32(0x54000000 | (((distance >> 2) & 0x7ffff) << 5) | condition),
  };
}

const LOAD_ADDRESS = 0x400000;
const ELF_HEADER_SIZE = 64;
const PROGRAM_HEADER_SIZE = 56;
const CODE_OFFSET = ELF_HEADER_SIZE + PROGRAM_HEADER_SIZE;

function elfHeader(architecture: PauseArchitecture): Buffer {
  const header = Buffer.alloc(ELF_HEADER_SIZE);
  header.write("\x7fELF", "latin1");
  header[4] = 2; // 64 bit
  header[5] = 1; // little-endian
  header[6] = 1; // version of ELF
  header.writeUInt16LE(2, 16); // ET_EXEC
  header.writeUInt16LE(architecture === "amd64" ? 62 : 183, 18); // EM_X86_64, EM_AARCH64
  header.writeUInt32LE(1, 20); // version again
  header.writeBigUInt64LE(BigInt(LOAD_ADDRESS + CODE_OFFSET), 24); // entry
  header.writeBigUInt64LE(BigInt(ELF_HEADER_SIZE), 32); // where the program headers are
  header.writeUInt16LE(ELF_HEADER_SIZE, 52);
  header.writeUInt16LE(PROGRAM_HEADER_SIZE, 54);
  header.writeUInt16LE(1, 56); // one of them
  return header;
}

/** One segment, readable and executable: the whole file. */
function programHeader(size: number): Buffer {
  const header = Buffer.alloc(PROGRAM_HEADER_SIZE);
  header.writeUInt32LE(1, 0); // PT_LOAD
  header.writeUInt32LE(4 | 1, 4); // read, execute
  header.writeBigUInt64LE(BigInt(LOAD_ADDRESS), 16); // virtual address
  header.writeBigUInt64LE(BigInt(LOAD_ADDRESS), 24); // physical address
  header.writeBigUInt64LE(BigInt(size), 32); // in the file
  header.writeBigUInt64LE(BigInt(size), 40); // in memory
  header.writeBigUInt64LE(0x10000n, 48); // alignment, for pages of up to 64 KiB
  return header;
}
