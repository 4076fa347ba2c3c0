/** A piece of machine code: bytes, a name for the place where it stands, or an instruction that refers to such a place. */
export type Piece =
  | readonly number[]
  | { here: string }
  | { size: number; refersTo: string; encode: (distance: number) => readonly number[] };

/** Puts machine code together. `distance` is counted in bytes from the start of the referring instruction. */
export function assemble(pieces: readonly Piece[]): Buffer {
  const places = new Map<string, number>();
  let offset = 0;
  for (const piece of pieces) {
    if ("here" in piece) places.set(piece.here, offset);
    else offset += "size" in piece ? piece.size : piece.length;
  }
  const code: number[] = [];
  for (const piece of pieces) {
    if ("here" in piece) continue;
    if (!("size" in piece)) {
      code.push(...piece);
      continue;
    }
    const place = places.get(piece.refersTo);
    if (place === undefined) throw new Error(`No place is called ${piece.refersTo}.`);
    const bytes = piece.encode(place - code.length);
    if (bytes.length !== piece.size)
      throw new Error("An instruction has another size than it said.");
    code.push(...bytes);
  }
  return Buffer.from(code);
}

/** Little-endian. */
export function int32(value: number): number[] {
  return [0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff);
}
