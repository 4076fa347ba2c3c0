import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { addAbortSignal, type Readable } from "node:stream";
import { type Document, LineCounter, parseAllDocuments } from "yaml";
import { CliError } from "../cli-error.ts";

/** One Kubernetes object of a manifest, with where it stands, for messages. */
export interface ManifestObject {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; [key: string]: unknown };
  [key: string]: unknown;
}

export interface Manifest {
  object: ManifestObject;
  /** `examples/hello.yaml:3 (Pod hello)`. */
  source: string;
}

/** Read manifest files in the order given; `-` is standard input. Errors name the file, the line and what is wrong there. */
export async function readManifests(
  files: readonly string[],
  stdin: () => Readable,
  signal: AbortSignal,
): Promise<Manifest[]> {
  if (files.filter((file) => file === "-").length > 1) {
    throw new CliError("usage", `"-" stands for standard input, and can be given once.`);
  }
  const manifests: Manifest[] = [];
  for (const file of files) {
    const text = file === "-" ? await readStdin(stdin(), signal) : await readText(file, signal);
    manifests.push(...parseManifest(text, file === "-" ? "standard input" : file));
  }
  return manifests;
}

/** Ctrl-C ends the wait for a person who types. */
async function readStdin(stdin: Readable, signal: AbortSignal): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of addAbortSignal(signal, stdin)) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString("utf8");
}

async function readText(file: string, signal: AbortSignal): Promise<string> {
  if (/^https?:\/\//i.test(file)) {
    throw new CliError(
      "manifest",
      `${file}: manifests are read from files, not from the web: curl -fsSL ${file} | interlink up -`,
    );
  }
  try {
    return await readFile(file, { encoding: "utf8", signal });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const why =
      code === "ENOENT"
        ? "there is no such file"
        : code === "EISDIR"
          ? `it is a directory; name the files in it, for instance ${join(file, "*.yaml")}`
          : (error as Error).message;
    throw new CliError("manifest", `Cannot read the manifest ${file}: ${why}.`, { cause: error });
  }
}

/** The objects of one YAML text (several documents, `List` objects taken apart), checked for what every object needs. */
export function parseManifest(text: string, file: string): Manifest[] {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false });
  const manifests: Manifest[] = [];
  for (const document of "empty" in documents ? [] : documents) {
    const [problem] = document.errors;
    if (problem !== undefined) {
      const { line, col } = lines.linePos(problem.pos[0]);
      throw new CliError("manifest", `${file}:${line}:${col}: not valid YAML: ${problem.message}`, {
        cause: problem,
      });
    }
    // The range begins at the `---`; the first node is what a person looks for.
    const { line } = lines.linePos(document.contents?.range?.[0] ?? 0);
    const value = plainValue(document, `${file}:${line}`);
    if (value === null || value === undefined) continue;
    for (const object of unfold(value, `${file}:${line}`)) {
      manifests.push({
        object,
        source: `${file}:${line} (${object.kind} ${object.metadata.name})`,
      });
    }
  }
  if (manifests.length === 0) {
    throw new CliError("manifest", `${file} holds no Kubernetes object.`);
  }
  return manifests;
}

/** Aliases are only looked at here: one may lead nowhere, or unfold to far too much. */
function plainValue(document: Document.Parsed, where: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw new CliError("manifest", `${where}: not valid YAML: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

function unfold(value: unknown, where: string): ManifestObject[] {
  const object = value as Partial<ManifestObject> & { items?: unknown };
  if (typeof value !== "object" || Array.isArray(value)) {
    throw new CliError("manifest", `${where}: a Kubernetes object is expected here.`);
  }
  if (object.kind === "List" && Array.isArray(object.items)) {
    return object.items.flatMap((item) => unfold(item, where));
  }
  for (const key of ["apiVersion", "kind"] as const) {
    if (typeof object[key] !== "string" || object[key] === "") {
      throw new CliError("manifest", `${where}: the object has no ${key}.`);
    }
  }
  if (typeof object.metadata?.name !== "string") {
    throw new CliError("manifest", `${where}: this ${object.kind} has no metadata.name.`);
  }
  return [object as ManifestObject];
}
