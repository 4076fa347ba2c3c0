import { noSuchResource } from "../api/api-error.ts";
import { wantsAggregatedDiscovery } from "../http/representation.ts";
import { apiVersionOf, type ResourceDefinition } from "../resources/definition.ts";

/** Kinds that are answered at once and never stored (reviews). */
export interface VirtualResource {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly singular: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

export interface DiscoveryAnswer {
  contentType: string;
  body: object;
}

interface ApiResource {
  name: string;
  singularName: string;
  namespaced: boolean;
  kind: string;
  group?: string;
  version?: string;
  verbs: readonly string[];
  shortNames?: readonly string[];
  categories?: readonly string[];
}

const allVerbs = [
  "create",
  "delete",
  "deletecollection",
  "get",
  "list",
  "patch",
  "update",
  "watch",
];
const statusVerbs = ["get", "patch", "update"];

function resourcesOf(definition: ResourceDefinition): ApiResource[] {
  const { plural, singular, namespaced, kind, shortNames, categories } = definition;
  const list: ApiResource[] = [
    {
      name: plural,
      singularName: singular,
      namespaced,
      kind,
      verbs: allVerbs,
      ...(shortNames.length > 0 ? { shortNames } : {}),
      ...(categories.length > 0 ? { categories } : {}),
    },
  ];
  if (definition.hasStatus) {
    list.push({ name: `${plural}/status`, singularName: "", namespaced, kind, verbs: statusVerbs });
  }
  for (const { name, ...rest } of definition.subresources) {
    list.push({ name: `${plural}/${name}`, singularName: "", namespaced, ...rest });
  }
  return list;
}

/** `/api`, `/apis` and what is below, in the old form and in the aggregated one that current clients ask for. */
export class Discovery {
  readonly #groups = new Map<string, Map<string, ApiResource[]>>();

  constructor(definitions: readonly ResourceDefinition[], virtual: readonly VirtualResource[]) {
    for (const definition of definitions) {
      this.#add(definition.group, definition.version, resourcesOf(definition));
    }
    for (const { group, version, plural, singular, kind, namespaced } of virtual) {
      this.#add(group, version, [
        { name: plural, singularName: singular, namespaced, kind, verbs: ["create"] },
      ]);
    }
  }

  #add(group: string, version: string, resources: ApiResource[]): void {
    const versions = this.#groups.get(group) ?? new Map<string, ApiResource[]>();
    versions.set(version, [...(versions.get(version) ?? []), ...resources]);
    this.#groups.set(group, versions);
  }

  /** Undefined for a path that is not discovery's; throws 404 for a group or version that is not served. */
  answer(
    path: string,
    accept: string | undefined,
    serverAddress: string,
  ): DiscoveryAnswer | undefined {
    const [root, first, second, ...more] = path.split("/").filter((part) => part !== "");
    if (more.length > 0) return undefined;
    if (root === "api") {
      if (first === undefined) return this.#roots("", accept, serverAddress);
      return second === undefined ? this.#resources("", first) : undefined;
    }
    if (root !== "apis") return undefined;
    if (first === undefined) return this.#roots("apis", accept, serverAddress);
    if (second === undefined) return plain(this.#group(first));
    return this.#resources(first, second);
  }

  #roots(root: "" | "apis", accept: string | undefined, address: string): DiscoveryAnswer {
    const aggregated = wantsAggregatedDiscovery(accept);
    if (aggregated) return this.#aggregated(root === "", aggregated);
    if (root === "") {
      return plain({
        kind: "APIVersions",
        versions: ["v1"],
        serverAddressByClientCIDRs: [{ clientCIDR: "0.0.0.0/0", serverAddress: address }],
      });
    }
    const groups = this.#namedGroups().map((group) => this.#group(group));
    return plain({ kind: "APIGroupList", apiVersion: "v1", groups });
  }

  #namedGroups(): string[] {
    return [...this.#groups.keys()].filter((group) => group !== "").sort();
  }

  #group(name: string): object {
    const versions = this.#groups.get(name);
    if (!versions || name === "") throw noSuchResource();
    const list = [...versions.keys()].map((version) => ({
      groupVersion: `${name}/${version}`,
      version,
    }));
    return { kind: "APIGroup", apiVersion: "v1", name, versions: list, preferredVersion: list[0] };
  }

  #resources(group: string, version: string): DiscoveryAnswer {
    const resources = this.#groups.get(group)?.get(version);
    if (!resources) throw noSuchResource();
    return plain({
      kind: "APIResourceList",
      apiVersion: "v1",
      groupVersion: apiVersionOf({ group, version }),
      resources,
    });
  }

  #aggregated(core: boolean, form: "v2" | "v2beta1"): DiscoveryAnswer {
    const names = core ? [""] : this.#namedGroups();
    const items = names.map((name) => ({
      metadata: { name: name === "" ? null : name, creationTimestamp: null },
      versions: [...(this.#groups.get(name) ?? [])].map(([version, resources]) => ({
        version,
        freshness: "Current",
        resources: aggregatedResources(name, version, resources),
      })),
    }));
    return {
      contentType: `application/json;g=apidiscovery.k8s.io;v=${form};as=APIGroupDiscoveryList`,
      body: {
        kind: "APIGroupDiscoveryList",
        apiVersion: `apidiscovery.k8s.io/${form}`,
        metadata: {},
        items,
      },
    };
  }
}

function plain(body: object): DiscoveryAnswer {
  return { contentType: "application/json", body };
}

function aggregatedResources(
  group: string,
  version: string,
  resources: readonly ApiResource[],
): object[] {
  const responseKind = (item: ApiResource): object => ({
    group: item.group ?? group,
    version: item.version ?? version,
    kind: item.kind,
  });
  return resources
    .filter((item) => !item.name.includes("/"))
    .map((item) => {
      const subresources = resources
        .filter((sub) => sub.name.startsWith(`${item.name}/`))
        .map((sub) => ({
          subresource: sub.name.slice(item.name.length + 1),
          responseKind: responseKind(sub),
          verbs: sub.verbs,
        }));
      return {
        resource: item.name,
        responseKind: responseKind(item),
        scope: item.namespaced ? "Namespaced" : "Cluster",
        singularResource: item.singularName,
        verbs: item.verbs,
        ...(item.shortNames ? { shortNames: item.shortNames } : {}),
        ...(item.categories ? { categories: item.categories } : {}),
        ...(subresources.length > 0 ? { subresources } : {}),
      };
    });
}
