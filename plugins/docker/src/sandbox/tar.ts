/** A regular file, owned by root. */
export interface TarFile {
  name: string;
  content: Uint8Array;
  mode: number;
}

/** A tar archive (ustar). For the image that is made here. */
export function tarOf(files: readonly TarFile[]): Buffer {
  // Two empty blocks end an archive.
  return Buffer.concat([...files.map(record), Buffer.alloc(1024)]);
}

function record({ name, content, mode }: TarFile): Buffer {
  const header = Buffer.alloc(512);
  const octal = (value: number, offset: number, width: number): void => {
    header.write(value.toString(8).padStart(width - 1, "0"), offset, "latin1");
  };
  if (Buffer.byteLength(name) > 99)
    throw new Error(`The name ${name} is too long for a tar archive.`);
  header.write(name, 0, "utf8");
  octal(mode, 100, 8);
  octal(0, 108, 8); // uid
  octal(0, 116, 8); // gid
  octal(content.length, 124, 12);
  octal(0, 136, 12); // time: the same bytes give the same image everywhere
  header.write("        ", 148, "latin1"); // the checksum counts itself as blanks
  header.write("0", 156, "latin1"); // regular file
  header.write("ustar\x0000", 257, "latin1");
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  const padding = Buffer.alloc((512 - (content.length % 512)) % 512);
  return Buffer.concat([header, content, padding]);
}
