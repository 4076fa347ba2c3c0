import { parseArgs } from "node:util";

/** What the command line asks for. */
export interface BenchOptions {
  /** Scenarios to run; all of them when empty. */
  only: string[];
  quick: boolean;
  /** Where the JSON goes instead of bench/results. */
  json?: string;
  /** Directory for CPU profiles of the parts. */
  cpuProfiles?: string;
  help: boolean;
}

export const USAGE = `npm run bench -- [options]

  --only NAME      run one scenario; may be given several times
  --quick          small numbers: shows that everything works, measures little
  --json FILE      write the JSON there instead of bench/results/<time>.json
  --cpu-prof DIR   let every part write a CPU profile there when it ends
  --help           this text
`;

/** Reads the command line. Throws Error in a sentence for a person when it is wrong. */
export function readOptions(args: readonly string[], scenarios: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: "string", multiple: true },
      quick: { type: "boolean" },
      json: { type: "string" },
      "cpu-prof": { type: "string" },
      help: { type: "boolean" },
    },
  });
  const only = values.only ?? [];
  const unknown = only.find((name) => !scenarios.includes(name));
  if (unknown !== undefined) {
    throw new Error(`There is no scenario "${unknown}"; there are ${scenarios.join(", ")}.`);
  }
  return {
    only,
    quick: values.quick === true,
    help: values.help === true,
    ...(values.json === undefined ? {} : { json: values.json }),
    ...(values["cpu-prof"] === undefined ? {} : { cpuProfiles: values["cpu-prof"] }),
  };
}
