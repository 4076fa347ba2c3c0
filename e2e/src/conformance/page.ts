import { behaviourGroups } from "./behaviours.ts";

/** What one test said about one behaviour. */
export interface Finding {
  id: number;
  plugin: string;
  result: "pass" | "fail" | "not applicable";
  /** Why it does not apply, or what about the test is special. */
  note?: string;
}

const PASS = "pass";

/** The page `docs/conformance.md`. A behaviour that several tests look at passes when all of them do. */
export function conformancePage(plugins: readonly string[], findings: readonly Finding[]): string {
  const notes: string[] = [];
  const noteNumber = (note: string): number => {
    if (!notes.includes(note)) notes.push(note);
    return notes.indexOf(note) + 1;
  };
  const cell = (id: number, plugin: string): string => {
    const found = findings.filter((one) => one.id === id && one.plugin === plugin);
    const marks = found
      .flatMap(({ note }) => (note === undefined ? [] : [`[${noteNumber(note)}](#notes)`]))
      .filter((mark, index, all) => all.indexOf(mark) === index);
    return [verdict(found), ...marks].join(" ");
  };
  const tables = behaviourGroups.flatMap(({ title, behaviours }) => [
    "",
    `## ${title}`,
    "",
    `| # | Behaviour | ${plugins.join(" | ")} |`,
    `| --: | --- | ${plugins.map(() => "---").join(" | ")} |`,
    ...behaviours.map(
      ({ id, title: words }) =>
        `| ${id} | ${words} | ${plugins.map((plugin) => cell(id, plugin)).join(" | ")} |`,
    ),
  ]);
  const totals = plugins.map((plugin) => {
    const verdicts = behaviourGroups.flatMap(({ behaviours }) =>
      behaviours.map(({ id }) =>
        verdict(findings.filter((one) => one.id === id && one.plugin === plugin)),
      ),
    );
    const count = (wanted: string): number => verdicts.filter((one) => one.includes(wanted)).length;
    const parts = [PASS, "fail", "not applicable", "not tested"].map(
      (one) => `${count(one)} ${one}`,
    );
    return `- **${plugin}**: ${parts.join(", ")}`;
  });
  return `${[
    "# Conformance",
    "",
    "What Kubernetes' own conformance and node tests expect of a node, and whether pods on the virtual node get it, by",
    "plugin. Written by the tests in [e2e/src/conformance](../e2e/src/conformance), which run against a real Kubernetes",
    "1.20.2 and, where that is too old for a feature, against the embedded cluster.",
    "",
    ...totals,
    ...tables,
    "",
    "## Notes",
    "",
    ...notes.map((note, index) => `${index + 1}. ${note}`),
  ].join("\n")}\n`;
}

function verdict(found: readonly Finding[]): string {
  if (found.length === 0) return "not tested";
  if (found.some(({ result }) => result === "fail")) return "**fail**";
  return found.every(({ result }) => result === "not applicable") ? "not applicable" : PASS;
}

/** The title of a test, which carries what the page says. */
export function testTitle(
  id: number,
  words: string,
  note: Finding["note"],
  applies: boolean,
): string {
  const marks = note === undefined ? "" : ` [${applies ? "note" : "not applicable"}: ${note}]`;
  return `${id}. ${words}${marks}`;
}

/** What a test's title and state say; `undefined`: it was not run, or is no such test. */
export function findingOf(
  plugin: string,
  title: string,
  state: "passed" | "failed" | "skipped" | "pending",
): Finding | undefined {
  const [, id, kind, note] =
    /^(\d+)\. [^[]*(?:\[(note|not applicable): (.*)\])?$/s.exec(title) ?? [];
  if (id === undefined) return undefined;
  const about = { id: Number(id), plugin, ...(note === undefined ? {} : { note }) };
  if (kind === "not applicable") return { ...about, result: "not applicable" };
  if (state === "passed") return { ...about, result: "pass" };
  return state === "failed" ? { ...about, result: "fail" } : undefined;
}
