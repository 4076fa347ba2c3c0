import { createHash } from "node:crypto";
import { PluginError } from "@interlink/plugin-sdk";

const SCHEME = /^[A-Za-z][A-Za-z0-9+.-]*:\/\//;

/**
 * The image as the runtime is told it: absolute paths (SIF files, sandbox directories) and references with a scheme
 * (`docker://`, `oras://`, `library://` …) as they are, everything else with the prefix before it. Throws `PluginError`
 * `rejected` for what the runtime could take for something else than an image.
 */
export function imageReference(image: string, prefix: string): string {
  const isWhole = image.startsWith("/") || SCHEME.test(image);
  const reference = isWhole ? image : `${prefix}${image}`;
  if (reference === "" || reference.startsWith("-") || /^\s|\p{Cc}|\s$/u.test(reference)) {
    const shown = JSON.stringify(reference.slice(0, 120));
    throw new PluginError(
      "rejected",
      `${shown} is not a reference of an image; write for example busybox:1.36, docker://host.example/name:tag or /path/image.sif.`,
    );
  }
  return reference;
}

/** Whether it has to be fetched before it can run. */
export function isRemote(reference: string): boolean {
  return SCHEME.test(reference);
}

/** Whether it runs as one file, of which is known that the runtime itself has made it, with its own hooks in it. */
export function isFile(reference: string): boolean {
  return isRemote(reference) || reference.endsWith(".sif");
}

/** A name for the file of a pulled image. */
export function imageFile(reference: string, extension: "sif" | "sqsh"): string {
  const readable = reference
    .replace(SCHEME, "")
    .replaceAll(/[^A-Za-z0-9._-]+/g, "_")
    .slice(-60)
    .replace(/^[._-]+/, "");
  const hash = createHash("sha256").update(reference).digest("hex").slice(0, 16);
  return `${readable || "image"}-${hash}.${extension}`;
}

/** `docker://host/name` as enroot writes it, `docker://host#name`. */
export function enrootReference(reference: string): string {
  const [, rest] = /^docker:\/\/(.*)$/s.exec(reference) ?? [];
  if (rest === undefined || rest.includes("#")) return reference;
  const slash = rest.indexOf("/");
  const host = rest.slice(0, Math.max(slash, 0));
  const isHost = /[.:]/.test(host) || host === "localhost";
  return isHost ? `docker://${host}#${rest.slice(slash + 1)}` : reference;
}
