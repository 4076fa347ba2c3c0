import { int32, type Piece } from "./assemble.ts";

/** Every instruction is one word. System calls take their number in x8, arguments from x0 on, and answer in x0. */
export const arm64 = {
  /** `mov xN, value` of up to 16 bits. */
  move: (register: number, value: number): Piece => int32(0xd2800000 | (value << 5) | register),
  /** `mov xN, value << 16`. */
  moveHigh: (register: number, value: number): Piece => int32(0xd2a00000 | (value << 5) | register),
  /** `movk xN, value`: sets the lowest 16 bits, and keeps the others. */
  keepHigh: (register: number, value: number): Piece => int32(0xf2800000 | (value << 5) | register),
  /** `mov xN, -1 - value`. */
  moveInverted: (register: number, value: number): Piece =>
    int32(0x92800000 | (value << 5) | register),
  /** `mov xN, xM`. */
  copy: (to: number, from: number): Piece => int32(0xaa0003e0 | (from << 16) | to),
  /** `neg xN, xM`. */
  negate: (to: number, from: number): Piece => int32(0xcb0003e0 | (from << 16) | to),
  /** `ldrh wN, [xM]`: two bytes from memory. */
  loadHalf: (to: number, address: number): Piece => int32(0x79400000 | (address << 5) | to),
  /** `cmp wN, value` of up to 12 bits. */
  compare: (register: number, value: number): Piece =>
    int32(0x7100001f | (value << 10) | (register << 5)),
  call: int32(0xd4000001) as Piece, // svc 0
  /** `adr xN, place`: a distance of 21 bits, its lowest two apart. */
  address: (register: number, refersTo: string): Piece => ({
    size: 4,
    refersTo,
    encode: (distance) =>
      int32(0x10000000 | ((distance & 3) << 29) | (((distance >> 2) & 0x7ffff) << 5) | register),
  }),
  /** `b.condition place`: a distance in words of 19 bits. */
  branch: (condition: keyof typeof CONDITIONS, refersTo: string): Piece => ({
    size: 4,
    refersTo,
    encode: (distance) =>
      int32(0x54000000 | (((distance >> 2) & 0x7ffff) << 5) | CONDITIONS[condition]),
  }),
};

/** Signed comparisons. */
const CONDITIONS = { eq: 0x0, ne: 0x1, lt: 0xb, gt: 0xc, le: 0xd, always: 0xe } as const;
