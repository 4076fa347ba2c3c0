import type { Turn } from "./turns.ts";

/** Files, or folders of them, below `e2e/src`, that use what only one can have at a time. */
const USES: readonly [where: string, things: readonly string[]][] = [
  ["docker/", ["engines"]],
  ["slurm/", ["slurm"]],
  ["conformance/", ["engines", "slurm"]],
  ["debug.test.ts", ["engines"]],
  ["examples.test.ts", ["engines"]],
];

/** Measures what a node does under load: anything beside it would be measured as well. */
const ALONE = ["scale.test.ts"];

/** What a test file, named by its path, needs for itself. */
export function turnOf(path: string): Turn {
  const [, below = path] = /(?:^|\/)e2e\/src\/(.*)$/.exec(path) ?? [];
  const [, things = []] = USES.find(([where]) => below.startsWith(where)) ?? [];
  return { things, seats: ALONE.includes(below) ? Number.MAX_SAFE_INTEGER : 1 };
}
