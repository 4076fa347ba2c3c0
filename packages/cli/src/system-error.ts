/**
 * What the operating system refused, in words that say what to do; undefined when `error` is nothing of the kind.
 * The parts have sentences of their own for most; this is for those that let the system's word through.
 */
export function systemErrorSentence(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, syscall, path, address, port } = error as NodeJS.ErrnoException & {
    address?: string;
    port?: number;
  };
  if (syscall === "listen" || syscall === "bind") {
    const where = port === undefined || port < 0 ? `${address}` : `${address}:${port}`;
    if (code === "EADDRINUSE")
      return `${where} is in use by another program. Stop it, or listen elsewhere.`;
    if (code === "EADDRNOTAVAIL")
      return `${where} is no address of this machine. Listen on another.`;
    if (code === "EACCES")
      return `This user may not listen on ${where}. Take a port above 1023, or a directory of your own.`;
    return undefined;
  }
  if (path === undefined) return undefined;
  if (code === "EACCES" || code === "EPERM" || code === "EROFS") {
    return `This user may not write or read ${path} (${code}). Give a directory of your own.`;
  }
  if (code === "EEXIST" || code === "ENOTDIR") {
    return `${path}: it or something above it is a file; a directory is needed there.`;
  }
  if (code === "ENOSPC") return `No space is left for ${path}.`;
  return undefined;
}
