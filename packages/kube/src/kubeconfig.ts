import { isAbsolute, join } from "node:path";
import { parse } from "yaml";
import { type Reread, readCredentialFile, rereadFile } from "./credential-files.ts";
import type { KubeCredentials, TlsMaterial } from "./credentials.ts";
import { KubeError } from "./errors.ts";

type Fields = Record<string, unknown>;

/**
 * Reads a kubeconfig whose user is a certificate, a token, a token file or a password. Undefined when the user needs
 * more (exec plugin, auth provider, impersonation): client-node's part. Throws KubeError `credentials` when the
 * text is not a kubeconfig or lacks what the context names.
 */
export async function readKubeconfig(
  text: string,
  contextName: string | undefined,
  folder: string,
  now: () => number,
): Promise<KubeCredentials | undefined> {
  const config = fields(parseYaml(text));
  if (config === undefined) throw bad("it is not a YAML mapping");
  const current = contextName ?? string(config, "current-context");
  if (current === undefined || current === "")
    throw bad("it has no current-context; give a context name");
  const context = named(config, "contexts", current, "context");
  const cluster = named(config, "clusters", string(context, "cluster") ?? "", "cluster");
  const userName = string(context, "user");
  const user = userName === undefined ? {} : named(config, "users", userName, "user");
  if (["exec", "auth-provider", "as", "as-uid", "as-groups"].some((key) => user[key] !== undefined))
    return undefined;
  const server = string(cluster, "server");
  if (server === undefined) throw bad(`cluster "${string(context, "cluster")}" has no server`);
  const file = (path: string): string => (isAbsolute(path) ? path : join(folder, path));
  const namespace = string(context, "namespace");
  const proxyUrl = string(cluster, "proxy-url");
  const tokenFile = string(user, "tokenFile");
  const token = tokenFile === undefined ? undefined : rereadFile(file(tokenFile), now);
  return {
    server: server.replace(/\/+$/, ""),
    ...(namespace === undefined ? {} : { namespace }),
    ...(proxyUrl === undefined ? {} : { proxyUrl }),
    tls: () => tlsMaterial(cluster, user, file),
    authorization: authorization(user, token),
    forget: () => token?.forget(),
  };
}

async function tlsMaterial(
  cluster: Fields,
  user: Fields,
  file: (path: string) => string,
): Promise<TlsMaterial> {
  const pem = async (from: Fields, name: string): Promise<string | undefined> => {
    const data = string(from, `${name}-data`);
    if (data !== undefined) return Buffer.from(data, "base64").toString("utf8");
    const path = string(from, name);
    return path === undefined ? undefined : readCredentialFile(file(path));
  };
  const [ca, cert, key] = await Promise.all([
    pem(cluster, "certificate-authority"),
    pem(user, "client-certificate"),
    pem(user, "client-key"),
  ]);
  const servername = string(cluster, "tls-server-name");
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(servername === undefined ? {} : { servername }),
    ...(cluster["insecure-skip-tls-verify"] === true ? { rejectUnauthorized: false } : {}),
  };
}

function authorization(
  user: Fields,
  tokenFile: Reread<string> | undefined,
): () => Promise<string | undefined> {
  if (tokenFile !== undefined) return async () => `Bearer ${(await tokenFile.value()).trim()}`;
  const token = string(user, "token");
  if (token !== undefined) return () => Promise.resolve(`Bearer ${token}`);
  const username = string(user, "username");
  if (username !== undefined) {
    const pair = `${username}:${string(user, "password") ?? ""}`;
    const header = `Basic ${Buffer.from(pair).toString("base64")}`;
    return () => Promise.resolve(header);
  }
  return () => Promise.resolve(undefined);
}

function parseYaml(text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    // The parser's message quotes the line, which may hold a secret: it stays out of ours.
    const at =
      typeof error === "object" && error !== null && "linePos" in error
        ? `; see line ${JSON.stringify((error.linePos as { line: number }[])[0]?.line)}`
        : "";
    throw bad(`it is not YAML${at}`);
  }
}

function named(config: Fields, list: string, name: string, field: string): Fields {
  const entries = config[list];
  const entry = Array.isArray(entries)
    ? entries.map(fields).find((one) => one?.["name"] === name)
    : undefined;
  const value = fields(entry?.[field]);
  if (value === undefined) throw bad(`it has no entry "${name}" under ${list}`);
  return value;
}

function fields(value: unknown): Fields | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Fields)
    : undefined;
}

function string(from: Fields, key: string): string | undefined {
  const value = from[key];
  return typeof value === "string" && value !== "" ? value : undefined;
}

function bad(what: string): KubeError {
  return new KubeError("credentials", `The kubeconfig cannot be used: ${what}.`);
}
