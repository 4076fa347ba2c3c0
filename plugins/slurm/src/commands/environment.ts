import { TIME_VARIABLES } from "../slurm/slurm-time.ts";

/** What Slurm's programs need of the plugin's environment, and nothing that a pod could see of another. */
const NEEDED = [
  "PATH",
  "HOME",
  "USER",
  "LOGNAME",
  "SHELL",
  "LANG",
  "LC_ALL",
  "SLURM_CONF",
  "SLURM_CONF_SERVER",
  "SLURM_CLUSTERS",
];

type Environment = Readonly<Record<string, string | undefined>>;

/** For programs that only ask. */
export function askingEnvironment(env: Environment): Record<string, string> {
  return { ...picked(env, NEEDED), ...TIME_VARIABLES };
}

/**
 * For sbatch, which hands all of it to the job: what it needs, and the variables that the site names. As another user:
 * with that user's name and home.
 */
export function jobEnvironment(
  env: Environment,
  passed: readonly string[],
  user?: { name: string; home: string },
): Record<string, string> {
  return {
    ...picked(env, [...NEEDED, ...passed]),
    ...(user && { USER: user.name, LOGNAME: user.name, HOME: user.home }),
  };
}

function picked(env: Environment, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
