import type { Finding } from "./finding.ts";
import { printable } from "./printable.ts";

/** A line for each finding, and what to do below it. The last line counts. */
export function showFindings(findings: readonly Finding[]): string {
  const lines = findings.flatMap(({ level, part, what, next }) => [
    `${level.padEnd(7)}  ${part}: ${printable(what)}`,
    ...(next === undefined ? [] : [`         → ${printable(next)}`]),
  ]);
  return `${[...lines, "", summary(findings)].join("\n")}\n`;
}

function summary(findings: readonly Finding[]): string {
  const count = (level: Finding["level"]) => findings.filter((one) => one.level === level).length;
  const [problems, warnings] = [count("problem"), count("warning")];
  if (problems === 0 && warnings === 0) return "All is well.";
  const told = [
    ...(problems > 0 ? [`${problems} ${problems === 1 ? "problem" : "problems"}`] : []),
    ...(warnings > 0 ? [`${warnings} ${warnings === 1 ? "warning" : "warnings"}`] : []),
  ];
  return `${told.join(", ")}.`;
}
