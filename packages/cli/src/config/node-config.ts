import { type ConfigSources, readConfig } from "@interlink/plugin-sdk";
import { type Static, Type } from "typebox";
import type { NodeFlags } from "../flags.ts";
import type { ConfigPlace } from "./config-file.ts";
import { NODE_FILE } from "./places.ts";
import {
  closed,
  ignoredKeys,
  LOGGING,
  logLevelOf,
  PLUGIN_KEYS,
  type ProfilerPlace,
  pprof,
  profilerOf,
  TLS,
  TRACING,
} from "./shared-settings.ts";
import { siteAddress } from "./site-address.ts";

export const NODE_CONFIG_PLACE: ConfigPlace = {
  variables: ["CONFIGPATH", "VK_CONFIG_PATH"],
  usual: NODE_FILE,
};

const quantity = (description: string) => Type.Optional(Type.String({ description }));
const file = (description: string) => Type.Optional(Type.String({ description }));

/** The file of a virtual kubelet (reference: wire and node, 2.2 and 2.3), and the older one that all processes shared. */
export const NODE_CONFIG = Type.Object(
  {
    NodeName: Type.Optional(
      Type.String({ description: "Name of the Node object.", env: ["NODENAME"] }),
    ),
    InterlinkURL: Type.Optional(
      Type.String({
        description: "The interLink API server: http://host, https://host or unix:///path.",
        env: ["INTERLINKURL"],
      }),
    ),
    InterlinkPort: Type.Optional(
      Type.String({ description: "Port of InterlinkURL.", env: ["INTERLINKPORT"] }),
    ),
    VKTokenFile: Type.Optional(
      Type.String({
        description: "Bearer token for the API server, read again for every call; /dev/null: none.",
        env: ["VKTOKENFILE"],
      }),
    ),
    HTTP: Type.Optional(
      Type.Object(
        {
          Insecure: Type.Boolean({
            default: false,
            description: "Take any certificate of the API server. For trials only.",
          }),
          CaCert: file("Authority of the API server's certificate (PEM)."),
        },
        closed,
      ),
    ),
    TLS: Type.Optional(TLS),
    KubernetesApiAddr: Type.Optional(
      Type.String({ description: "The cluster's API as pods at the site reach it." }),
    ),
    KubernetesApiPort: Type.Optional(Type.String({ description: "Port of KubernetesApiAddr." })),
    Kubeconfig: Type.Optional(
      Type.String({ description: "Credentials for the cluster.", env: ["CUSTOMKUBECONF"] }),
    ),
    KubeletAddress: Type.Optional(
      Type.String({
        description: "Where the cluster reaches this virtual node (IP address).",
        env: ["POD_IP"],
      }),
    ),
    KubeletHost: Type.Optional(
      Type.String({
        description: "Where the kubelet API listens (default: all addresses).",
        env: ["KUBELET_URL"],
      }),
    ),
    KubeletPort: Type.Optional(
      Type.String({ description: "Port of the kubelet API.", env: ["KUBELET_PORT"] }),
    ),
    KubeletCertFile: file("A serving certificate of your own (PEM)."),
    KubeletKeyFile: file("Its key (PEM)."),
    DisableCSR: Type.Boolean({
      default: false,
      description: "Sign the serving certificate oneself instead of asking the cluster.",
    }),
    Resources: Type.Optional(
      Type.Object(
        {
          CPU: quantity("Capacity, unless the plugin tells it."),
          Memory: quantity("Capacity, unless the plugin tells it."),
          Pods: quantity("Capacity, unless the plugin tells it."),
          Accelerators: Type.Optional(
            Type.Array(
              Type.Object(
                {
                  ResourceType: Type.String({ description: "For instance nvidia.com/gpu." }),
                  Model: Type.Optional(Type.String({ description: "For people." })),
                  Available: Type.String({ default: "0", description: "How many there are." }),
                },
                closed,
              ),
            ),
          ),
        },
        closed,
      ),
    ),
    NodeLabels: Type.Optional(
      Type.Array(Type.String({ pattern: "^[^=\\s]+=\\S*$" }), { description: "key=value" }),
    ),
    NodeTaints: Type.Optional(
      Type.Array(
        Type.Object(
          {
            Key: Type.String({ description: "Key of a taint of the node.", minLength: 1 }),
            Value: Type.Optional(Type.String({ description: "Its value; empty unless given." })),
            Effect: Type.Optional(
              Type.Union(
                [
                  Type.Literal("NoSchedule"),
                  Type.Literal("PreferNoSchedule"),
                  Type.Literal("NoExecute"),
                ],
                {
                  description:
                    "What becomes of pods that do not tolerate it; NoSchedule unless given.",
                },
              ),
            ),
          },
          closed,
        ),
      ),
    ),
    JobScriptBuilderURL: Type.Optional(
      Type.String({
        description:
          "A builder of job scripts that the API server asks for each pod (its JobScriptBuildConfig).",
      }),
    ),
    ...LOGGING,
    Pprof: pprof(6060),
    Tracing: TRACING,
    ...ignoredKeys("VKConfigPath ServiceAccount Namespace PodIP DataRootFolder KubeletHTTP"),
    ...ignoredKeys("InterlinkAddress SidecarURL SidecarPort", "it is for the API server"),
    ...ignoredKeys("KubeletCSRSignerName", "the signer is kubernetes.io/kubelet-serving"),
    ...ignoredKeys("PodCIDR", "no addresses are given to pods"),
    ...ignoredKeys(
      "DisableProjectedVolumes SkipDownwardAPIResolution",
      "what a plugin is sent follows from what it offers",
    ),
    ...ignoredKeys("KubernetesApiCaCrt", "pods are sent the cluster's own kube-root-ca.crt"),
    ...ignoredKeys("Network", "tunnels and meshes are not offered yet"),
    ...PLUGIN_KEYS,
  },
  closed,
);

export const readNodeConfig = (sources: ConfigSources) => readConfig(NODE_CONFIG, sources);

/** Values that only a file gives. */
export interface NodeFileSettings extends Partial<NodeFlags> {
  /** Names of PEM files: the certificate that is shown to the API server. */
  siteCertificate?: { cert: string; key: string };
  siteInsecure?: boolean;
  kubeletHost?: string;
  jobscriptURL?: string;
  profiler?: ProfilerPlace;
}

/** What the file says in the words of the flags; a flag goes before it. */
export function nodeSettings(config: Static<typeof NODE_CONFIG>): NodeFileSettings {
  const {
    InterlinkURL: url,
    HTTP: http,
    TLS: tls,
    Resources: resources,
    NodeTaints: taints,
  } = config;
  const found: { [K in keyof NodeFileSettings]: NodeFileSettings[K] | undefined } = {
    name: config.NodeName,
    site: url === undefined ? undefined : siteAddress(url, config.InterlinkPort),
    tokenFile: tokenFile(config.VKTokenFile),
    siteCa: (tls?.Enabled === true ? tls.CACertFile : undefined) ?? http?.CaCert,
    siteInsecure: http?.Insecure === true ? true : undefined,
    siteCertificate: clientCertificate(tls),
    kubeconfig: config.Kubeconfig,
    address: config.KubeletAddress,
    kubeletHost: config.KubeletHost,
    kubeletPort: config.KubeletPort,
    kubeletCert: config.KubeletCertFile,
    kubeletKey: config.KubeletKeyFile,
    servingCertificate:
      config.DisableCSR && config.KubeletCertFile === undefined ? "self-signed" : undefined,
    apiAddress: apiAddress(config.KubernetesApiAddr, config.KubernetesApiPort),
    cpu: resources?.CPU,
    memory: resources?.Memory,
    pods: resources?.Pods,
    resource: resources?.Accelerators?.map(
      ({ ResourceType: type, Available: available }) => `${type}=${available}`,
    ),
    label: config.NodeLabels,
    taint: taints?.map(
      ({ Key: key, Value: value, Effect: effect = "NoSchedule" }) =>
        `${key}${value === undefined ? "" : `=${value}`}:${effect}`,
    ),
    jobscriptURL: config.JobScriptBuilderURL,
    logLevel: logLevelOf(config),
    profiler: profilerOf(config.Pprof),
  };
  return Object.fromEntries(
    Object.entries(found).filter(([, value]) => value !== undefined),
  ) as NodeFileSettings;
}

/** Charts write /dev/null for "none". */
function tokenFile(name: string | undefined): string | undefined {
  return name === "/dev/null" ? undefined : name;
}

function clientCertificate(
  tls: Static<typeof TLS> | undefined,
): NodeFileSettings["siteCertificate"] {
  const { Enabled: isEnabled = false, CertFile: cert, KeyFile: key } = tls ?? {};
  return isEnabled && cert !== undefined && key !== undefined ? { cert, key } : undefined;
}

/** Both or none, as in the existing node. */
function apiAddress(host: string | undefined, port: string | undefined): string | undefined {
  if (host === undefined || port === undefined) return undefined;
  return host.includes(":") && !host.startsWith("[") ? `[${host}]:${port}` : `${host}:${port}`;
}
