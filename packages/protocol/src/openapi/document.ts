import {
  ConfigMapSchema,
  ContainerStatusSchema,
  PodSchema,
  ProjectedMapSchema,
  SecretSchema,
} from "../schemas/kubernetes.ts";
import {
  CapabilitiesSchema,
  CreateAnswerSchema,
  JobConfigSchema,
  LogRequestSchema,
  PingAnswerSchema,
  PodCreateRequestSchema,
  RemotePodStatusSchema,
  RetrievedContainerSchema,
  RetrievedPodDataSchema,
  StatusAnswerSchema,
  StatusRequestSchema,
  StatusStreamRecordSchemas,
} from "../schemas/messages.ts";
import { StatsAnswerSchema } from "../schemas/streams.ts";
import { onWire, orNull } from "./on-wire.ts";
import { type Operation, operations } from "./operations.ts";

/** The two faces of the wire: what virtual nodes call, and what API servers call. */
export type OpenApiFace = "interlink" | "plugin";

/** Shared schemas, by the name that the documents give them. */
const components: Record<string, object> = {
  Pod: PodSchema,
  ConfigMap: ConfigMapSchema,
  Secret: SecretSchema,
  ProjectedMap: ProjectedMapSchema,
  ContainerStatus: ContainerStatusSchema,
  PodCreateRequest: PodCreateRequestSchema,
  RetrievedPodData: RetrievedPodDataSchema,
  RetrievedContainer: RetrievedContainerSchema,
  JobConfig: JobConfigSchema,
  CreateAnswer: CreateAnswerSchema,
  StatusRequest: StatusRequestSchema,
  RemotePodStatus: RemotePodStatusSchema,
  StatusAnswer: StatusAnswerSchema,
  LogRequest: LogRequestSchema,
  PingAnswer: PingAnswerSchema,
  Capabilities: CapabilitiesSchema,
  StatsAnswer: StatsAnswerSchema,
  StatusStreamRecord: { oneOf: Object.values(StatusStreamRecordSchemas) },
};

/** The OpenAPI 3.1 document of one face: what may travel, made from the schemas that the readers judge by. */
export function openApiDocument(face: OpenApiFace): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const operation of operations(face)) {
    paths[operation.path] = {
      ...paths[operation.path],
      [operation.method]: operationObject(operation),
    };
  }
  const used = referenced(paths);
  return {
    openapi: "3.1.0",
    info: {
      title: face === "interlink" ? "interLink API server" : "interLink plugin",
      version: "1.0",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
      description:
        face === "interlink"
          ? "What a virtual node calls. GET requests carry a JSON body; every method is accepted on every path."
          : "What an interLink API server calls. GET requests carry a JSON body.",
    },
    paths,
    components: {
      schemas: Object.fromEntries(
        Object.entries(components)
          .filter(([name]) => used.has(name))
          .map(([name, schema]) => [name, wireComponent(schema, name)]),
      ),
    },
  };
}

function operationObject(operation: Operation): Record<string, unknown> {
  const content = (type: string, schema: string | undefined) => ({
    [type]: { schema: schema === undefined ? { type: "string" } : reference(schema) },
  });
  return {
    operationId: operation.id,
    summary: operation.summary,
    ...(operation.extension === true ? { "x-interlink-extension": true } : {}),
    parameters: [
      {
        name: "InterLink-Http-Session",
        in: "header",
        description: "Request id, the same on both hops",
        schema: { type: "string" },
      },
      ...(operation.query ?? []).map((parameter) => ({ ...parameter, in: "query" })),
    ],
    ...(operation.request === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: content(operation.requestType ?? "application/json", operation.request.schema),
          },
        }),
    responses: {
      ...(operation.answer.type === undefined
        ? { "101": { description: operation.answer.description } }
        : {
            "200": {
              description: operation.answer.description,
              content: content(operation.answer.type, operation.answer.schema),
            },
          }),
      default: {
        description: "An error; the body is one sentence for a person",
        content: content("text/plain", undefined),
      },
    },
  };
}

function wireComponent(schema: object, name: string): unknown {
  const wire = onWire(withReferences(schema, name), hasDefault);
  return hasDefault(name) ? orNull(wire) : wire;
}

function hasDefault(name: string): boolean {
  return "default" in (components[name] ?? {});
}

function reference(name: string): { $ref: string } {
  return { $ref: `#/components/schemas/${name}` };
}

/** A copy of a schema in which every other component that it holds stands as a reference. */
function withReferences(schema: unknown, self: string): unknown {
  if (Array.isArray(schema)) return schema.map((item) => withReferences(item, self));
  if (typeof schema !== "object" || schema === null) return schema;
  const name = componentNames.get(JSON.stringify(schema));
  if (name !== undefined && name !== self) return reference(name);
  return Object.fromEntries(
    Object.entries(schema).map(([key, child]) => [key, withReferences(child, self)]),
  );
}

const componentNames: ReadonlyMap<string, string> = new Map(
  Object.entries(components).map(([name, schema]) => [JSON.stringify(schema), name]),
);

/** Names of the components that these paths reach, directly or through others. */
function referenced(paths: unknown): Set<string> {
  const found = new Set<string>();
  const visit = (value: unknown): void => {
    for (const [, name = ""] of JSON.stringify(value).matchAll(
      /"#\/components\/schemas\/(\w+)"/g,
    )) {
      if (found.has(name)) continue;
      found.add(name);
      visit(withReferences(components[name], name));
    }
  };
  visit(paths);
  return found;
}
