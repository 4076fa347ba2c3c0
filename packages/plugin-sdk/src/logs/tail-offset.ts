import type { FileHandle } from "node:fs/promises";

const BLOCK_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

/**
 * Where the last `lines` lines of the first `size` bytes of a file begin. A last line without a newline counts. Reads
 * backwards in blocks, so the cost is that of the lines wanted, not of the file.
 */
export async function tailOffset(file: FileHandle, size: number, lines: number): Promise<number> {
  if (lines <= 0) return size;
  const block = Buffer.allocUnsafe(Math.min(BLOCK_BYTES, size));
  let missing = lines;
  let end = size;
  while (end > 0) {
    const start = Math.max(0, end - block.length);
    const { bytesRead } = await file.read(block, 0, end - start, start);
    if (bytesRead < end - start) return start; // Truncated meanwhile.
    // The newline that ends the very last line begins no line.
    let at = end === size ? bytesRead - 2 : bytesRead - 1;
    while (at >= 0) {
      at = block.subarray(0, bytesRead).lastIndexOf(NEWLINE, at);
      if (at < 0) break;
      missing -= 1;
      if (missing === 0) return start + at + 1;
      at -= 1;
    }
    end = start;
  }
  return 0;
}
