import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { isTransient } from "../commands/slurm-error.ts";
import { parseSettings } from "./controller-settings.ts";
import { parseShowJob } from "./job-details.ts";
import { jobStage, stateName } from "./job-state.ts";
import { submittedJob } from "./submitted.ts";

/** What a real Slurm printed; see its README. */
const recorded = fileURLToPath(new URL("../../fixtures/slurm-22.05/", import.meta.url));
const read = (name: string): string => readFileSync(`${recorded}${name}`, "utf8");
const moments = readdirSync(recorded, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);
/** By the folder, the jobs as squeue told them: numbers, states. */
const queued = (moment: string): Map<string, string> =>
  new Map(
    read(`${moment}/squeue-all-states-o-bars.txt`)
      .split("\n")
      .map((line) => line.split("|"))
      .filter(([id = ""]) => /^\d+$/.test(id))
      .map(([id = "", state = ""]) => [id, state]),
  );
const withFile = (file: string): string[] =>
  moments.filter((moment) => readdirSync(`${recorded}${moment}`).includes(file));

it("has recorded output to read", () => {
  expect(withFile("squeue-all-states-o-bars.txt").length).toBeGreaterThan(2);
  expect(withFile("scontrol-show-job.txt").length).toBeGreaterThan(0);
});

it.each(withFile("squeue-all-states-o-bars.txt"))("knows every state of %s", (moment) => {
  const states = [...new Set(queued(moment).values())];
  expect(states.length).toBeGreaterThan(3);
  for (const state of states) expect([state, jobStage(stateName(state))]).not.toContain("unknown");
});

it.each(withFile("scontrol-show-job.txt"))(
  "reads of %s the same states as squeue tells",
  (moment) => {
    const jobs = parseShowJob(read(`${moment}/scontrol-show-job.txt`));
    const states = queued(moment);
    let compared = 0;
    for (const { id, state } of jobs) {
      const told = states.get(id);
      if (told === undefined) continue;
      expect([id, stateName(told)]).toEqual([id, state]);
      compared++;
    }
    expect(compared).toBeGreaterThan(5);
    expect(jobs.some(({ code, startAt, endAt }) => code !== undefined && startAt && endAt)).toBe(
      true,
    );
  },
);

describe("the words of commands that failed", () => {
  interface Recorded {
    case: string;
    exitCode: number;
    stdout: string;
    stderr: string;
  }
  const commands = JSON.parse(read("commands.json")) as Recorded[];

  it.each(commands.filter(({ case: name }) => /^(down|no-munge)-(?!scontrol-ping)/.test(name)))(
    "may pass: $case",
    ({ stderr }) => {
      expect(isTransient(stderr)).toBe(true);
    },
  );

  it.each(
    commands.filter(
      ({ case: name, exitCode }) =>
        name.startsWith("sbatch") && !/drained/.test(name) && exitCode !== 0,
    ),
  )("are final: $case", ({ stderr }) => {
    expect(isTransient(stderr)).toBe(false);
  });

  it("tell the job's id where there is one", () => {
    for (const { case: name, stdout, exitCode } of commands) {
      if (!name.startsWith("sbatch")) continue;
      expect([name, submittedJob(stdout) !== undefined]).toEqual([name, exitCode === 0]);
    }
  });
});

it("reads the settings of the controller", () => {
  expect(parseSettings(read("scontrol-show-config.txt"))).toEqual({
    version: "22.05.8",
    killWaitSeconds: 30,
    minJobAgeSeconds: 300,
    maxScriptBytes: 4_194_304,
    hasAccounting: false,
  });
});
