/** One line of `/proc/self/mountinfo`. */
export interface MountedPlace {
  path: string;
  /** Of this mount, not of its file system: `rw`, `nosuid` … */
  options: readonly string[];
}

/** What is mounted at a path and below it, in the order in which it came about (`proc_pid_mountinfo(5)`). */
export function mountsBelow(table: string, path: string): MountedPlace[] {
  return table.split("\n").flatMap((line) => {
    const [, , , , mounted = "", options = ""] = line.split(" ");
    const at = unescape(mounted);
    const isBelow = at === path || at.startsWith(path.endsWith("/") ? path : `${path}/`);
    return isBelow ? [{ path: at, options: options.split(",") }] : [];
  });
}

/** Blanks and what else would tear a line apart are octal numbers. */
function unescape(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCodePoint(Number.parseInt(digits, 8)),
  );
}
