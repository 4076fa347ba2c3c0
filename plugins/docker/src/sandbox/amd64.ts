import { int32, type Piece } from "./assemble.ts";

/**
 * System calls take their number in eax, arguments in rdi, rsi, rdx, r10, r8, r9, and answer in rax; they change rcx and
 * r11. Distances count from the next instruction.
 */
export const amd64 = {
  /** `mov eNN, value`: the rest of the register becomes 0. */
  move: (register: keyof typeof REGISTERS, value: number): Piece =>
    REGISTERS[register] < 8
      ? [0xb8 + REGISTERS[register], ...int32(value)]
      : [0x41, 0xb8 + REGISTERS[register] - 8, ...int32(value)],
  /** `mov eNN, eMM`; the first eight registers only. */
  copy: (to: keyof typeof REGISTERS, from: keyof typeof REGISTERS): Piece => [
    0x89,
    0xc0 | (REGISTERS[from] << 3) | REGISTERS[to],
  ],
  negateEax: [0xf7, 0xd8] as Piece,
  testEax: [0x85, 0xc0] as Piece,
  /** `cmp eax, value` of up to 7 bits. */
  compareEax: (value: number): Piece => [0x83, 0xf8, value],
  /** `movzx edi, word [rsi]`. */
  loadEdiFromRsi: [0x0f, 0xb7, 0x3e] as Piece,
  call: [0x0f, 0x05] as Piece, // syscall
  /** `lea rNN, [place]`. */
  address: (register: "rsi" | "rdi", refersTo: string): Piece =>
    relative([0x48, 0x8d, register === "rsi" ? 0x35 : 0x3d], refersTo),
  jump: (refersTo: string): Piece => relative([0xe9], refersTo),
  /** Jumps if the flags say so. */
  branch: (condition: keyof typeof CONDITIONS, refersTo: string): Piece =>
    relative([0x0f, CONDITIONS[condition]], refersTo),
};

const REGISTERS = { eax: 0, edx: 2, ebx: 3, esi: 6, edi: 7, r8d: 8, r9d: 9, r10d: 10 } as const;
/** Of the two-byte jumps. */
const CONDITIONS = { zero: 0x84, notZero: 0x85, negative: 0x88, lessOrEqual: 0x8e, greater: 0x8f };

function relative(opcode: readonly number[], refersTo: string): Piece {
  const size = opcode.length + 4;
  return { size, refersTo, encode: (distance) => [...opcode, ...int32(distance - size)] };
}
