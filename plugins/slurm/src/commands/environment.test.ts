import { expect, it } from "vitest";
import { askingEnvironment, jobEnvironment } from "./environment.ts";

const OWN = {
  PATH: "/bin",
  HOME: "/root",
  SLURM_CONF: "/etc/slurm.conf",
  LICENSE: "server",
  SECRET: "of the plugin",
  SBATCH_ACCOUNT: "another",
};

it("gives jobs what they need, and what the site names", () => {
  const needed = { PATH: "/bin", HOME: "/root", SLURM_CONF: "/etc/slurm.conf" };
  expect(jobEnvironment(OWN, [])).toEqual(needed);
  expect(jobEnvironment(OWN, ["LICENSE", "ABSENT"])).toEqual({ ...needed, LICENSE: "server" });
});

it("gives another user's jobs that user's name and home", () => {
  expect(jobEnvironment(OWN, ["HOME"], { name: "ann", home: "/home/ann" })).toMatchObject({
    USER: "ann",
    LOGNAME: "ann",
    HOME: "/home/ann",
  });
});

it("asks Slurm with nothing of the plugin's own that could change the answer", () => {
  const asking = askingEnvironment({ ...OWN, SLURM_TIME_FORMAT: "relative", SQUEUE_FORMAT: "%i" });
  expect(asking).toMatchObject({
    PATH: "/bin",
    SLURM_TIME_FORMAT: "%s",
  });
  expect(Object.keys(asking)).not.toContain("SQUEUE_FORMAT");
  expect(Object.values(asking)).not.toContain("of the plugin");
});
