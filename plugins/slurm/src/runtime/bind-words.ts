import type { BatchMount, BatchWord, BatchWordPart } from "@interlink/plugin-sdk";

/** What `--bind` can hold: it is a list, and colons and backslashes mean something in it. */
const PLAIN = /^[^,:\\"'\p{Cc}]*$/u;

/**
 * A mount as words of Apptainer and Singularity. `--bind` where the paths allow it, which every version knows; else
 * `--mount`, whose fields are CSV (Apptainer, SingularityCE 3.9).
 */
export function bindWords({ source, mountPath, readOnly }: BatchMount): BatchWord[] {
  const isPlain = PLAIN.test(mountPath) && source.every((part) => PLAIN.test(partText(part)));
  if (isPlain) return [["--bind"], [...source, `:${mountPath}${readOnly ? ":ro" : ""}`]];
  return [
    ["--mount"],
    [
      'type=bind,"source=',
      ...source.map((part) => mapText(part, csv)),
      `","destination=${csv(mountPath)}"${readOnly ? ",ro" : ""}`,
    ],
  ];
}

/** A mount as words of enroot, which reads a line of fstab: blanks and backslashes are written as octal numbers. */
export function fstabWords({ source, mountPath, readOnly }: BatchMount): BatchWord[] {
  const options = `x-create=auto,rbind,${readOnly ? "ro" : "rw"}`;
  return [
    ["--mount"],
    [...source.map((part) => mapText(part, octal)), ` ${octal(mountPath)} none ${options}`],
  ];
}

function csv(text: string): string {
  return text.replaceAll('"', '""');
}

function octal(text: string): string {
  return text.replaceAll(
    /[\s\\#]/g,
    (sign) => `\\${sign.charCodeAt(0).toString(8).padStart(3, "0")}`,
  );
}

function partText(part: BatchWordPart): string {
  if (typeof part === "string") return part;
  if ("podPath" in part) return part.podPath;
  if ("jobPath" in part) return part.jobPath;
  return "attemptPath" in part ? part.attemptPath : "";
}

function mapText(part: BatchWordPart, change: (text: string) => string): BatchWordPart {
  if (typeof part === "string") return change(part);
  if ("podPath" in part) return { podPath: change(part.podPath) };
  if ("jobPath" in part) return { jobPath: change(part.jobPath) };
  return "attemptPath" in part ? { attemptPath: change(part.attemptPath) } : part;
}
