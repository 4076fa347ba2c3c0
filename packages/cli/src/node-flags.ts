import { isIP } from "node:net";
import { type RateLimit, tryParseQuantity } from "@interlink/kube";
import type { Taint } from "kubernetes-types/core/v1.js";
import { CliError } from "./cli-error.ts";

/** The flags whose values can be judged without asking anybody. */
interface JudgedFlags {
  name: string;
  address?: string;
  cpu?: string;
  memory?: string;
  pods?: string;
}

/**
 * Throws for what would only be refused later, by a cluster, again and again. `said` gives the words for where a value stands:
 * its flag, unless told.
 */
export function checkNodeFlags(
  { name, address, cpu, memory, pods }: JudgedFlags,
  said: (flag: keyof JudgedFlags) => string = (flag) => `--${flag}`,
): void {
  // Kubernetes: apimachinery validation, IsDNS1123Subdomain.
  const part = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
  if (name.length > 253 || !new RegExp(`^${part}(\\.${part})*$`).test(name)) {
    throw new CliError(
      "usage",
      `${said("name")} "${name}": use lower-case letters, digits, "-" and ".", beginning and ending with a letter or digit.`,
    );
  }
  if (address !== undefined && isIP(address) === 0) {
    throw new CliError("usage", `${said("address")} "${address}": give an IP address.`);
  }
  for (const [option, value] of Object.entries({ cpu, memory, pods }) as [
    keyof JudgedFlags,
    string | undefined,
  ][]) {
    if (value === undefined || tryParseQuantity(value) !== undefined) continue;
    throw new CliError(
      "usage",
      `${said(option)} "${value}": give a Kubernetes quantity, for instance 500m, 2 or 1.5Gi.`,
    );
  }
}

/** `host:port` or `[::1]:port` of `--api-address`. */
export function parseApiAddress(text: string): { host: string; port: number } {
  const match = /^(?:\[(?<six>[0-9a-fA-F:.]+)\]|(?<name>[^:[\]/\s]+)):(?<port>\d{1,5})$/.exec(text);
  const { six, name, port } = match?.groups ?? {};
  const host = six ?? name;
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535) {
    throw new CliError(
      "usage",
      `--api-address "${text}": give host:port, for instance api.example.org:6443, without https://.`,
    );
  }
  return { host, port: Number(port) };
}

/** `key=value` pairs of `--label`. */
export function parseLabels(labels: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    labels.map((label) => {
      const match = /^(?<key>[^=\s]+)=(?<value>[^\s]*)$/.exec(label);
      if (match?.groups === undefined) {
        throw new CliError("usage", `--label "${label}": give key=value.`);
      }
      return [match.groups["key"], match.groups["value"]];
    }),
  );
}

/** `name=quantity` pairs of `--resource`. */
export function parseResources(resources: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    resources.map((resource) => {
      const match = /^(?<name>[^=\s]+)=(?<amount>\S+)$/.exec(resource);
      const { name = "", amount = "" } = match?.groups ?? {};
      if (match === null || tryParseQuantity(amount) === undefined) {
        throw new CliError(
          "usage",
          `--resource "${resource}": give name=quantity, for instance nvidia.com/gpu=4.`,
        );
      }
      return [name, amount];
    }),
  );
}

/** A whole number of seconds, more than none. */
export function parseSeconds(text: string, option: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new CliError("usage", `${option} "${text}": give a number of seconds, for instance 600.`);
}

/** The limit of `--NAME-qps` and `--NAME-burst`; undefined without the first. */
export function parseRate(
  name: string,
  qps: string | undefined,
  burst: string | undefined,
): RateLimit | undefined {
  const amount = (text: string, option: string): number => {
    const value = /^\d{1,6}(?:\.\d{1,3})?$/.test(text) ? Number(text) : 0;
    if (value > 0) return value;
    throw new CliError("usage", `${option} "${text}": give a number more than 0, for instance 50.`);
  };
  if (qps === undefined) {
    if (burst === undefined) return undefined;
    throw new CliError("usage", `--${name}-burst needs --${name}-qps: give both.`);
  }
  const perSecond = amount(qps, `--${name}-qps`);
  const most = burst === undefined ? 2 * perSecond : amount(burst, `--${name}-burst`);
  // With less than one at once, none could ever go.
  return { perSecond, burst: Math.max(1, Math.round(most)) };
}

/** `key=value:effect` or `key:effect` of `--taint`, as `kubectl taint` writes them. */
export function parseTaints(taints: readonly string[]): Taint[] {
  return taints.map((taint) => {
    const match =
      /^(?<key>[^=:\s]+)(?:=(?<value>[^:\s]*))?:(?<effect>NoSchedule|PreferNoSchedule|NoExecute)$/.exec(
        taint,
      );
    if (match?.groups === undefined) {
      throw new CliError(
        "usage",
        `--taint "${taint}": give key=value:effect, with the effect NoSchedule, PreferNoSchedule or NoExecute.`,
      );
    }
    const { key = "", value, effect = "" } = match.groups;
    return { key, effect, ...(value === undefined ? {} : { value }) };
  });
}
