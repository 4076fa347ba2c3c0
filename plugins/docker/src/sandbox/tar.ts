/** A file, directory or symbolic link; root's unless it says otherwise. */
export type TarEntry = { name: string; mode: number; gid?: number } & (
  | { content: Uint8Array }
  | { type: "directory" }
  | { type: "link"; target: string }
);

/** A tar archive (ustar; names that are too long for that stand in pax headers). */
export function tarOf(entries: readonly TarEntry[]): Buffer {
  // Two empty blocks end an archive.
  return Buffer.concat([...entries.map(record), Buffer.alloc(1024)]);
}

/** Bytes for a name in a header. */
const NAME_BYTES = 99;

function record(entry: TarEntry): Buffer {
  const { name, mode, gid = 0 } = entry;
  if ("content" in entry) {
    return Buffer.concat([
      ...pax({ path: name }),
      header({ name, mode, gid, type: "0", size: entry.content.length }),
      padded(entry.content),
    ]);
  }
  if (entry.type === "directory") {
    const path = `${name}/`;
    return Buffer.concat([...pax({ path }), header({ name: path, mode, gid, type: "5", size: 0 })]);
  }
  const { target } = entry;
  const fields = { name, mode, gid, type: "2", size: 0, target };
  return Buffer.concat([...pax({ path: name, linkpath: target }), header(fields)]);
}

/** What does not fit into the header behind it. */
function pax(fields: Record<string, string>): Buffer[] {
  const long = Object.entries(fields).filter(([, text]) => Buffer.byteLength(text) > NAME_BYTES);
  if (long.length === 0) return [];
  const content = Buffer.from(long.map(([key, text]) => paxRecord(key, text)).join(""));
  return [
    header({ name: "pax", mode: 0o644, gid: 0, type: "x", size: content.length }),
    padded(content),
  ];
}

/** `LENGTH KEY=TEXT\n`, where the length counts itself. */
function paxRecord(key: string, text: string): string {
  const rest = ` ${key}=${text}\n`;
  const bytes = Buffer.byteLength(rest);
  let length = bytes + String(bytes).length;
  if (String(length).length > String(bytes).length) length++;
  return `${length}${rest}`;
}

function header(entry: {
  name: string;
  mode: number;
  gid: number;
  type: string;
  size: number;
  target?: string;
}): Buffer {
  const block = Buffer.alloc(512);
  const octal = (value: number, offset: number, width: number): void => {
    block.write(value.toString(8).padStart(width - 1, "0"), offset, "latin1");
  };
  Buffer.from(entry.name).copy(block, 0, 0, NAME_BYTES);
  octal(entry.mode, 100, 8);
  octal(0, 108, 8); // uid
  octal(entry.gid, 116, 8);
  octal(entry.size, 124, 12);
  octal(0, 136, 12); // time: the same bytes give the same image everywhere
  block.write("        ", 148, "latin1"); // the checksum counts itself as blanks
  block.write(entry.type, 156, "latin1");
  Buffer.from(entry.target ?? "").copy(block, 157, 0, NAME_BYTES);
  block.write("ustar\x0000", 257, "latin1");
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}

function padded(content: Uint8Array): Buffer {
  return Buffer.concat([content, Buffer.alloc((512 - (content.length % 512)) % 512)]);
}

/** The beginning of the first regular file in an archive that may be cut off; `undefined` if there is none. */
export function firstFileOf(archive: Buffer, bytes: number): Buffer | undefined {
  for (let at = 0; at + 512 <= archive.length; ) {
    const type = archive.toString("latin1", at + 156, at + 157);
    const size = Number.parseInt(archive.toString("latin1", at + 124, at + 136), 8);
    if (!Number.isFinite(size)) return undefined;
    const content = at + 512;
    if (type === "0" || type === "\0") {
      return archive.subarray(content, content + Math.min(size, bytes));
    }
    at = content + Math.ceil(size / 512) * 512;
  }
  return undefined;
}
