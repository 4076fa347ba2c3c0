import { resolve } from "node:path";
import { nearest } from "@interlink/plugin-sdk";
import { Type } from "typebox";
import { Compile } from "typebox/compile";
import { inventoryProblem } from "../devices/inventory-problem.ts";
import type { DockerProviderOptions } from "../docker-provider.ts";
import { imageSettingsProblem, resolvedImageSettings } from "../images/image-settings.ts";
import { HOST_ACCESS } from "../pods/forbidden.ts";
import { type OlderEnvironment, readOlderSettings } from "./older-settings.ts";

/** What an operator may write into the plugin's configuration file; the names are those of the options. */
type FileOptions = Pick<
  DockerProviderOptions,
  | "dockerHost"
  | "plugin"
  | "network"
  | "pods"
  | "log"
  | "dns"
  | "runtimeClasses"
  | "seccompProfiles"
  | "hostPaths"
  | "hostIP"
  | "forbid"
  | "allowUnheldMounts"
  | "claims"
  | "devices"
  | "images"
>;

/** A configuration, read. */
export interface DockerConfig {
  options: FileOptions;
  /** From the keys of older plugins: directory of the jobs. */
  root?: string;
  /** From the keys of older plugins: `host:port` or `unix:///path`. */
  listen?: string;
  /** Likewise. */
  logLevel?: "debug" | "error";
  /** Sentences for the operator at start-up: what is ignored, and why. */
  notices: string[];
}

const names = Type.Array(Type.String({ minLength: 1 }));
const closed = { additionalProperties: false };
const percent = Type.Integer({ minimum: 1, maximum: 100 });
const IMAGES = Type.Object(
  {
    prePull: Type.Optional(names),
    prePullSecrets: Type.Optional(Type.String({ minLength: 1 })),
    garbageCollection: Type.Optional(
      Type.Union([
        Type.Literal(false),
        Type.Object(
          {
            highPercent: Type.Optional(percent),
            lowPercent: Type.Optional(percent),
            minAgeSeconds: Type.Optional(Type.Number({ minimum: 0 })),
            space: Type.Optional(Type.String()),
            others: Type.Optional(Type.Boolean()),
          },
          closed,
        ),
      ]),
    ),
  },
  closed,
);
const SCHEMA = Type.Object(
  {
    dockerHost: Type.Optional(Type.String({ minLength: 1 })),
    plugin: Type.Optional(Type.String({ pattern: "^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$" })),
    network: Type.Optional(Type.String({ minLength: 1 })),
    pods: Type.Optional(Type.Integer({ minimum: 1 })),
    log: Type.Optional(
      Type.Object({ maxSize: Type.String(), maxFiles: Type.Integer({ minimum: 1 }) }, closed),
    ),
    dns: Type.Optional(
      Type.Object(
        { clusterDns: Type.Optional(names), clusterDomain: Type.Optional(Type.String()) },
        closed,
      ),
    ),
    runtimeClasses: Type.Optional(Type.Record(Type.String(), Type.String())),
    seccompProfiles: Type.Optional(Type.String({ minLength: 1 })),
    hostPaths: Type.Optional(names),
    hostIP: Type.Optional(Type.String({ pattern: "^[0-9A-Fa-f.:]+$" })),
    forbid: Type.Optional(Type.Array(Type.Enum([...HOST_ACCESS]))),
    allowUnheldMounts: Type.Optional(Type.Boolean()),
    images: Type.Optional(IMAGES),
    claims: Type.Optional(
      Type.Array(
        Type.Object(
          {
            namespace: Type.Optional(Type.String()),
            claim: Type.Optional(Type.String()),
            directory: Type.Optional(Type.String()),
            volume: Type.Optional(Type.String()),
            readOnly: Type.Optional(Type.Boolean()),
          },
          closed,
        ),
      ),
    ),
    devices: Type.Optional(
      Type.Array(
        Type.Object(
          {
            resource: Type.String({ pattern: "^[a-z0-9.-]+/[A-Za-z0-9._-]+$" }),
            kind: Type.Optional(
              Type.Union([
                Type.Literal("nodes"),
                Type.Literal("nvidia"),
                Type.Literal("amd"),
                Type.Literal("cdi"),
              ]),
            ),
            units: Type.Optional(
              Type.Array(
                Type.Object(
                  { id: Type.String({ minLength: 1 }), devices: Type.Optional(names) },
                  closed,
                ),
              ),
            ),
            shared: Type.Optional(names),
          },
          closed,
        ),
      ),
    ),
  },
  closed,
);
const VALIDATOR = Compile(SCHEMA);
/** Every name at any depth, for suggestions. */
const KEYS = [...new Set(JSON.stringify(SCHEMA).match(/(?<=")[A-Za-z]+(?=":\{)/g) ?? [])];

/**
 * Reads what a YAML file held, and the variables of older plugins. Throws a sentence that names the key; `what` is the
 * file's name.
 */
export function readDockerConfig(
  value: unknown,
  env: OlderEnvironment,
  what = "the configuration",
): DockerConfig {
  if (
    value !== undefined &&
    (typeof value !== "object" || value === null || Array.isArray(value))
  ) {
    throw new Error(`${what} holds no keys; it must be a YAML mapping.`);
  }
  const { own, older, notices } = readOlderSettings((value ?? {}) as Record<string, unknown>, env);
  if (!VALIDATOR.Check(own)) throw new Error(`${what}: ${problemOf(VALIDATOR.Errors(own))}`);
  const options = own as FileOptions;
  const problem =
    inventoryProblem(options.devices ?? []) ?? imageSettingsProblem(options.images ?? {});
  if (problem !== undefined) throw new Error(`${what}: ${problem}`);
  return {
    options: {
      ...options,
      ...(options.images && { images: resolvedImageSettings(options.images) }),
      ...(options.seccompProfiles !== undefined && {
        seccompProfiles: resolve(options.seccompProfiles),
      }),
    },
    ...older,
    notices,
  };
}

interface SchemaProblem {
  keyword: string;
  instancePath: string;
  message: string;
  params: object;
}

function problemOf(problems: readonly SchemaProblem[]): string {
  const unknown = problems.find(({ keyword }) => keyword === "additionalProperties");
  if (unknown !== undefined) {
    const { additionalProperties } = unknown.params as { additionalProperties: string[] };
    const [key = ""] = additionalProperties;
    const near = nearest(key, KEYS);
    const where = place(unknown.instancePath);
    return `${where === "" ? "" : `${where} has `}the unknown key "${key}"${near === undefined ? "" : `; did you mean "${near}"?`}`;
  }
  // Of a key that may be of several kinds, what is wrong inside says more than that it is not of the first kind.
  const depth = ({ instancePath }: SchemaProblem): number => instancePath.split("/").length;
  const [first] = problems.toSorted((a, b) => depth(b) - depth(a));
  return first === undefined
    ? "it is not as expected."
    : `${place(first.instancePath) || "it"} ${first.message}.`;
}

/** `/claims/0/directory` as `claims[0].directory`. */
function place(path: string): string {
  return path
    .replaceAll(/\/(\d+)/g, "[$1]")
    .replaceAll("/", ".")
    .replace(/^\./, "");
}
