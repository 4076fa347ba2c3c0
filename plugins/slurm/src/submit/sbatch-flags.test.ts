import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  checkFlags,
  flagWord,
  lastOfEach,
  readSbatchFlags,
  type SbatchFlag,
} from "./sbatch-flags.ts";
import { OWN_OPTIONS, SBATCH_OPTIONS, SHORT_OPTIONS } from "./sbatch-options.ts";
import { shellWords } from "./shell-words.ts";

const read = (line: string): string[] => readSbatchFlags(shellWords(line)).map(flagWord);

describe("readSbatchFlags", () => {
  it.each<[string, string[]]>([
    ["", []],
    ["--job-name=test-pod-cfg -t 2800", ["--job-name=test-pod-cfg", "--time=2800"]],
    ["-c4 -N 2-4", ["--cpus-per-task=4", "--nodes=2-4"]],
    ["-Hn4 -p gpu", ["--hold", "--ntasks=4", "--partition=gpu"]],
    ["--gres gpu:a100:2 --exclusive", ["--gres=gpu:a100:2", "--exclusive"]],
    ["--exclusive=user --nice=-5", ["--exclusive=user", "--nice=-5"]],
    ["--mail-user 'a b' --requ", ["--mail-user=a b", "--requeue"]],
    ["--outp=/x", ["--output=/x"]],
    ["--brand-new a b --hold", ["--brand-new=a b", "--hold"]],
    ["--brand-new=x", ["--brand-new=x"]],
    ["--dependency -1", ["--dependency=-1"]],
  ])("reads %j", (line, words) => {
    expect(read(line)).toEqual(words);
  });

  it.each([
    ["script.sh", '"script.sh" belongs to no option'],
    ["--hold script.sh", '"script.sh" belongs to no option'],
    ["-t", "-t needs a value"],
    ["--time", "--time needs a value"],
    ["--hold=1", "--hold takes no value"],
    ["--gpu=1", "--gpu is ambiguous: --gpu-bind"],
    ["-Z", '-Z in "-Z" is no option of sbatch'],
    ["--", "is no name of an option"],
    ["--a$(x)", "is no name of an option"],
    ["--partition='a\n#SBATCH --uid=0'", "holds a line break"],
    ["--partition 'a\nb'", "the value of --partition holds a line break"],
    ["-", '"-" belongs to no option'],
  ])("refuses %j: %s", (line, why) => {
    expect(() => read(line)).toThrow(why);
  });

  it("never lets a forbidden option through in another spelling", () => {
    const letters = Object.entries(SHORT_OPTIONS);
    const spelling = fc.constantFrom(...OWN_OPTIONS).chain((name) => {
      const prefixes = Array.from({ length: name.length }, (_, length) =>
        name.slice(0, length + 1),
      );
      const short = letters.filter(([, long]) => long === name).map(([letter]) => `-${letter}`);
      return fc.constantFrom(
        ...prefixes.flatMap((prefix) => [[`--${prefix}`, "1"], [`--${prefix}=1`]]),
        ...short.flatMap((letter) => [[letter, "1"], [`${letter}1`], [`-H${letter.slice(1)}1`]]),
      );
    });
    fc.assert(
      fc.property(spelling, (words) => {
        let flags: SbatchFlag[];
        try {
          flags = readSbatchFlags(words);
        } catch {
          return;
        }
        const known = flags.every(({ name }) => Object.hasOwn(SBATCH_OPTIONS, name));
        expect(known).toBe(true);
        if (flags.some(({ name }) => OWN_OPTIONS.has(name))) {
          expect(() => checkFlags(flags, "site")).toThrow("set by the plugin itself");
        }
      }),
    );
  });

  it("gives words that are read as the same flags again", () => {
    const words = fc.array(
      fc.oneof(fc.constantFrom("-c4", "--exclusive", "-H", "--time=5"), fc.string()),
    );
    fc.assert(
      fc.property(words, (some) => {
        let flags: SbatchFlag[];
        try {
          flags = readSbatchFlags(some);
        } catch {
          return;
        }
        expect(readSbatchFlags(flags.map(flagWord))).toEqual(flags);
      }),
    );
  });
});

describe("checkFlags", () => {
  const flags = (line: string): SbatchFlag[] => readSbatchFlags(shellWords(line));

  it.each([
    ["--uid=0", "--uid is set by the plugin itself"],
    ["-o /tmp/x", "--output is set by the plugin itself"],
    ["--export=ALL", "--export can only be set by the site"],
    ["-q high", "this site does not allow --qos"],
  ])("refuses a pod's %s", (line, why) => {
    expect(() => checkFlags(flags(line), "pod", new Set(["qos"]))).toThrow(why);
  });

  it("lets a site set more than a pod", () => {
    checkFlags(flags("--export=NIL --requeue"), "site");
    checkFlags(flags("-p gpu -t 5"), "pod");
    expect(() => checkFlags(flags("--gid=0"), "site")).toThrow("set by the plugin");
  });
});

it("keeps the last of each option at the place of the first", () => {
  const flags = readSbatchFlags(shellWords("-p a -t 1 --partition=b"));
  expect(lastOfEach(flags).map(flagWord)).toEqual(["--partition=b", "--time=1"]);
});
