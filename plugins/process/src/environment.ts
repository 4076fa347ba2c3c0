import type { ContainerSpec } from "@interlink/plugin-sdk";

/** Every process of a container carries it, so that what left its session is found as well. */
export const MARKER = "INTERLINK_CONTAINER";

const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * Variables that bash keeps for itself, or that steer bash and perl (a locale that is not installed makes them write
 * into the container's log): they go round the runner.
 */
const KEPT_BY_RUNNER =
  /^(?:_|BASH.*|PERL.*|LANG|LC_.*|PPID|UID|EUID|SHELLOPTS|COMP_WORDBREAKS|EPOCHREALTIME|EPOCHSECONDS|HISTCMD|IFS|LINENO|OLDPWD|OPTERR|OPTIND|PS[1-4]|PWD|RANDOM|SECONDS|SHLVL|SRANDOM|CDPATH|GLOBIGNORE|DIRSTACK|FUNCNAME|GROUPS)$/;

export interface ContainerEnvironment {
  /** Handed to the runner as its environment. */
  env: Record<string, string>;
  /** `NAME=VALUE` words for env(1) in front of the command; only names that the runner keeps for itself. */
  aroundRunner: string[];
}

/**
 * A container's environment: what a container engine sets by itself (PATH, HOME, HOSTNAME) where the pod does not, the
 * pod's own, and the plugin's. Nothing of the plugin's own environment.
 */
export function containerEnvironment(
  spec: ContainerSpec,
  defaults: { home: string },
  extra: Record<string, string>,
): ContainerEnvironment {
  const { pod, container, attempt } = spec;
  const env: Record<string, string> = {
    PATH: DEFAULT_PATH,
    HOME: defaults.home,
    HOSTNAME: pod.spec?.hostname ?? pod.metadata?.name ?? "",
  };
  const aroundRunner: string[] = [];
  for (const { name, value } of spec.env) {
    if (KEPT_BY_RUNNER.test(name)) aroundRunner.push(`${name}=${value}`);
    else env[name] = value;
  }
  env[MARKER] = marker(pod.metadata?.uid ?? "", container.name, attempt);
  return { env: { ...env, ...extra }, aroundRunner };
}

/** Value of {@link MARKER}. */
export function marker(uid: string, container: string, attempt: number): string {
  return `${uid}/${container}/${attempt}`;
}
