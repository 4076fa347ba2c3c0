import { readFile, stat } from "node:fs/promises";
import { emptyJobConfig, ProtocolError } from "@interlink/protocol";
import type { JobScriptBuilder } from "./job-script-builder.ts";
import { createJobScriptTemplate, type JobScriptTemplate } from "./template/job-script-template.ts";
import { TemplateError } from "./template/template-error.ts";

interface Loaded {
  template: JobScriptTemplate;
  /** Of the file when it was read. */
  version: string;
}

/**
 * Job scripts from a file in the language of Go's text/template (`JobScriptTemplate`), for pods that name no builder. The
 * file is read and checked now, which throws TemplateError or what reading throws; and again when it has changed: pods then
 * wait (503) while it is wrong. `elsewhere` serves the pods that name a builder.
 */
export async function createTemplateBuilder(
  file: string,
  elsewhere?: JobScriptBuilder,
): Promise<JobScriptBuilder> {
  let loaded = await load(file);
  return {
    async build(data, url, signal) {
      if (url !== "") return elsewhere?.build(data, url, signal) ?? refused();
      if ((await versionOf(file)) !== loaded.version) loaded = await reload(file);
      try {
        return { jobConfig: emptyJobConfig(), jobScript: loaded.template.script(data) };
      } catch (error) {
        if (!(error instanceof TemplateError)) throw error;
        throw new ProtocolError("invalid", `no job script for this pod: ${error.message}`, {
          cause: error,
        });
      }
    },
  };
}

function refused(): never {
  throw new ProtocolError(
    "unsupported",
    "this API server asks no builder of job scripts; leave jobscriptURL (the virtual node's JobScriptBuilderURL) empty, or give it a JobScriptBuildConfig",
  );
}

async function load(file: string): Promise<Loaded> {
  const version = await versionOf(file);
  const text = await readFile(file, "utf8");
  return { template: createJobScriptTemplate(file, text), version };
}

async function reload(file: string): Promise<Loaded> {
  try {
    return await load(file);
  } catch (cause) {
    const why = (cause as Error).message;
    throw new ProtocolError("unavailable", `the template of job scripts has changed: ${why}`, {
      cause,
    });
  }
}

/** Empty when the file is away; that is told by reading it. */
async function versionOf(file: string): Promise<string> {
  try {
    const { ino, size, mtimeMs } = await stat(file);
    return `${ino} ${size} ${mtimeMs}`;
  } catch {
    return "";
  }
}
