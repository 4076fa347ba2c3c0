import { isIP } from "node:net";
import { join } from "node:path";
import { stringify } from "yaml";
import type { InstallSettings } from "./install-config.ts";
import { REMOTE_SCRIPT } from "./remote-script.ts";
import { pluginUnit, serverUnit } from "./units.ts";

/** What is made once for an installation. All of it is secret but the certificates. */
export interface InstallSecrets {
  /** The node's, that the API server knows it by; not with an issuer. */
  token?: string;
  /** PEM: the authority of the API server's certificate. */
  ca?: string;
  /** PEM: the API server's certificate and its key, if they are made here. */
  certificate?: { cert: string; key: string };
}

/** A file to be written; `path` is below the output directory. */
export interface InstallFile {
  path: string;
  content: string;
  mode: number;
}

const SECRET = 0o600;
const PLAIN = 0o644;

/**
 * Every file of an installation: for the cluster, for the site, and one to check both with. `directory`: absolute; where
 * they will lie.
 */
export function installFiles(
  settings: InstallSettings,
  secrets: InstallSecrets,
  directory: string,
): InstallFile[] {
  const { plugin } = settings;
  const { token, ca, certificate } = secrets;
  const file = (path: string, content: string, mode = PLAIN): InstallFile => ({
    path,
    content,
    mode,
  });
  return [
    file("values.yaml", yaml(chartValues(settings, secrets))),
    file("secret.yaml", yaml(clusterSecret(settings, secrets)), SECRET),
    file("node.yaml", yaml(nodeConfig(settings, secrets, directory))),
    ...(token === undefined ? [] : [file("token", `${token}\n`, SECRET)]),
    ...(ca === undefined ? [] : [file("ca.crt", ca)]),
    file("site/InterLinkConfig.yaml", yaml(serverConfig(settings)), SECRET),
    file("site/plugin.kind", `${plugin}\n`),
    ...(plugin === "process" ? [] : [file("site/plugin.yaml", PLUGIN_FILES[plugin], SECRET)]),
    ...(token === undefined
      ? []
      : [file("site/tokens", `${token} ${settings.kubelet_node_name}\n`, SECRET)]),
    ...(certificate === undefined
      ? []
      : [
          file("site/tls.crt", certificate.cert, SECRET),
          file("site/tls.key", certificate.key, SECRET),
        ]),
    file("site/interlink-remote.sh", REMOTE_SCRIPT, 0o700),
    file("site/interlink-plugin.service", pluginUnit(plugin, plugin !== "process")),
    file("site/interlink-server.service", serverUnit()),
  ];
}

/** To begin with; the pages of the plugins tell the rest. */
const PLUGIN_FILES = {
  docker: "# All keys: interlink config explain --for docker\n# hostPaths: [/data/public]\n",
  slurm: "# All keys: interlink config explain --for slurm\n# Partitions: [short]\n",
} as const;

const secretName = ({ kubelet_node_name: node }: InstallSettings): string => `${node}-site`;

/** `https://` with the name of the site, in brackets where it is an IPv6 address. */
const siteUrl = ({ interlink_ip: host }: InstallSettings): string =>
  `https://${isIP(host) === 6 ? `[${host}]` : host}`;

function chartValues(settings: InstallSettings, { token, ca }: InstallSecrets): object {
  const { node_limits: limits, oauth } = settings;
  return {
    nodeName: settings.kubelet_node_name,
    ...(settings.image === undefined ? {} : { image: settings.image }),
    interlink: { address: siteUrl(settings), port: settings.interlink_port },
    virtualNode: {
      resources: { CPUs: limits.cpu, memGiB: limits.memory, pods: limits.pods },
      HTTP: {
        insecure: settings.insecure_http,
        ...(ca === undefined ? {} : { CACert: "/etc/interlink-ca/ca.crt" }),
      },
      ...(token === undefined ? {} : { tokenSecret: secretName(settings) }),
      ...(ca === undefined
        ? {}
        : { extraVolumeMounts: [{ name: "ca", mountPath: "/etc/interlink-ca", readOnly: true }] }),
    },
    ...(ca === undefined
      ? {}
      : {
          extraVolumes: [
            {
              name: "ca",
              secret: {
                secretName: secretName(settings),
                items: [{ key: "ca.crt", path: "ca.crt" }],
                defaultMode: 0o440,
              },
            },
          ],
        }),
    ...(oauth === undefined
      ? {}
      : {
          OAUTH: {
            enabled: true,
            TokenURL: oauth.token_url,
            ClientID: oauth.client_id,
            GrantType: oauth.grant_type,
            Audience: oauth.audience,
            secret: secretName(settings),
          },
        }),
  };
}

function clusterSecret(settings: InstallSettings, { token, ca }: InstallSecrets): object {
  const { oauth } = settings;
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: secretName(settings), namespace: settings.kubernetes_namespace },
    stringData: {
      ...(token === undefined ? {} : { token }),
      ...(ca === undefined ? {} : { "ca.crt": ca }),
      ...(oauth === undefined
        ? {}
        : {
            "client-secret": oauth.client_secret ?? "",
            "refresh-token": oauth.refresh_token ?? "",
          }),
    },
  };
}

/** What `interlink doctor --config` and `interlink node --config` take. */
function nodeConfig(
  settings: InstallSettings,
  { token, ca }: InstallSecrets,
  directory: string,
): object {
  const { node_limits: limits } = settings;
  return {
    NodeName: settings.kubelet_node_name,
    InterlinkURL: siteUrl(settings),
    InterlinkPort: String(settings.interlink_port),
    ...(token === undefined ? {} : { VKTokenFile: join(directory, "token") }),
    HTTP: {
      Insecure: settings.insecure_http,
      ...(ca === undefined ? {} : { CaCert: join(directory, "ca.crt") }),
    },
    Resources: { CPU: limits.cpu, Memory: limits.memory, Pods: limits.pods },
  };
}

function serverConfig(settings: InstallSettings): object {
  const { oauth } = settings;
  return {
    InterlinkAddress: isIP(settings.interlink_ip) === 6 ? "https://[::]" : "https://0.0.0.0",
    InterlinkPort: String(settings.interlink_port),
    SidecarURL: "unix://plugin.sock",
    TLS: {
      Enabled: true,
      CertFile: settings.tls_cert ?? "tls.crt",
      KeyFile: settings.tls_key ?? "tls.key",
    },
    // So that a lost key below stops the start instead of opening the door.
    AllowAnonymous: false,
    ...(oauth === undefined
      ? { TokenFile: "tokens" }
      : {
          OIDC: {
            Issuer: oauth.issuer,
            Audience: oauth.audience,
            ...(oauth.group === undefined
              ? {}
              : { RequiredClaims: { [oauth.group_claim]: [oauth.group] } }),
          },
        }),
  };
}

function yaml(value: object): string {
  return stringify(value, { lineWidth: 0 });
}
