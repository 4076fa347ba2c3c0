import { isIP } from "node:net";
import { tryParseQuantity } from "@interlink/kube";
import { ConfigError, type ConfigSources, readConfig } from "@interlink/plugin-sdk";
import { type Static, Type } from "typebox";
import { closed, ignoredKeys } from "../config/shared-settings.ts";

const text = (description: string, more: object = {}) =>
  Type.Optional(Type.String({ description, minLength: 1, ...more }));

/** The file of `interlink install`: the keys of the existing installer, and more in their style. */
export const INSTALL_CONFIG = Type.Object(
  {
    interlink_ip: Type.String({
      description: "Name or address at which the cluster reaches the site.",
      default: "",
    }),
    interlink_port: Type.Integer({
      description: "Port of the API server there.",
      minimum: 1,
      maximum: 65_535,
      default: 3000,
    }),
    kubelet_node_name: Type.String({
      description: "Name of the Node object.",
      // A part of names of other objects: Kubernetes' DNS label.
      pattern: "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
      maxLength: 50,
      default: "my-site",
    }),
    kubernetes_namespace: Type.String({
      description: "Where the virtual node runs.",
      pattern: "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
      default: "interlink",
    }),
    image: text("The image of this program (npm run image)."),
    plugin: Type.Union([Type.Literal("docker"), Type.Literal("slurm"), Type.Literal("process")], {
      description: "What runs the pods at the site.",
      default: "docker",
    }),
    node_limits: Type.Object(
      {
        cpu: Type.String({ description: "Capacity, unless the plugin tells it.", default: "8" }),
        memory: Type.String({ description: "Likewise.", default: "16Gi" }),
        pods: Type.String({ description: "Likewise.", default: "100" }),
      },
      closed,
    ),
    tls_cert: text("Certificate of the API server at the site; without it one is made here."),
    tls_key: text("Its key, at the site."),
    ca_cert: text("Authority of that certificate, a file here; without tls_cert not needed."),
    insecure_http: Type.Boolean({
      description: "Let the node take any certificate. For trials only.",
      default: false,
    }),
    oauth: Type.Optional(
      Type.Object(
        {
          provider: Type.Optional(
            Type.Literal("oidc", { description: "Kind of the issuer; there is one only." }),
          ),
          grant_type: Type.Union(
            [Type.Literal("authorization_code"), Type.Literal("client_credentials")],
            {
              default: "authorization_code",
              description:
                "How a token is come by: from refresh_token, or from client_secret alone.",
            },
          ),
          issuer: Type.String({ description: "The issuer: https://…", pattern: "^https?://" }),
          audience: Type.String({ description: "For whom tokens are made.", minLength: 1 }),
          token_url: Type.String({ description: "Its token endpoint.", pattern: "^https?://" }),
          client_id: Type.String({
            description: "As whom the node asks for tokens.",
            minLength: 1,
          }),
          client_secret: Type.Optional(Type.String({ description: "Its secret." })),
          refresh_token: Type.Optional(
            Type.String({ description: "What the issuer gave for getting tokens with. A secret." }),
          ),
          group: text("Only callers of this group are let in."),
          group_claim: Type.String({ description: "Where it stands.", default: "groups" }),
          ...ignoredKeys("scopes device_code_url", "get a refresh token at the issuer yourself"),
          ...ignoredKeys("github_user", "only issuers of OpenID Connect are offered"),
        },
        closed,
      ),
    ),
    ...ignoredKeys("interlink_version", "the site runs the version that you install there"),
    ...ignoredKeys(
      "disable_projected_volumes",
      "what a plugin is sent follows from what it offers",
    ),
  },
  closed,
);

/** What shall be installed. Without `oauth` the node shows a token that is made here. */
export type InstallSettings = Static<typeof INSTALL_CONFIG>;

/** Throws `ConfigError` with every problem and its place. */
export function readInstallConfig(sources: ConfigSources): {
  value: InstallSettings;
  notices: string[];
} {
  const read = readConfig(INSTALL_CONFIG, sources);
  const problems = problemsOf(read.value);
  if (problems.length === 0) return read;
  const where = sources.file === undefined ? "" : `${sources.file.name}: `;
  throw new ConfigError(
    "invalid",
    problems.map((one) => `${where}${one}`),
  );
}

function problemsOf(settings: InstallSettings): string[] {
  const { interlink_ip: host, node_limits: limits, tls_cert, tls_key, ca_cert, oauth } = settings;
  const problems: string[] = [];
  if (host === "") problems.push("interlink_ip: it is missing; give the site's name or address.");
  else if (isIP(host) === 0 && !/^[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?$/.test(host)) {
    problems.push("interlink_ip: give a host name or an IP address, without https:// and port.");
  }
  for (const [name, value] of Object.entries(limits)) {
    if (tryParseQuantity(value) === undefined) {
      problems.push(`node_limits.${name}: give a Kubernetes quantity, for instance 16Gi.`);
    }
  }
  if ((tls_cert === undefined) !== (tls_key === undefined)) {
    problems.push("tls_cert and tls_key belong together: give both, or none.");
  }
  if (tls_cert === undefined && ca_cert !== undefined) {
    problems.push("ca_cert needs tls_cert and tls_key; without all three certificates are made.");
  }
  if (oauth?.grant_type === "authorization_code" && !oauth.refresh_token) {
    problems.push("oauth.refresh_token: it is missing; get one at the issuer.");
  }
  if (oauth?.grant_type === "client_credentials" && !oauth.client_secret) {
    problems.push("oauth.client_secret: it is missing; client_credentials needs it.");
  }
  return problems;
}
