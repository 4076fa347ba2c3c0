import { createHash } from "node:crypto";
import type { BatchContainerSpec, BatchRuntime, BatchWord } from "@interlink/plugin-sdk";
import { fstabWords } from "./bind-words.ts";
import { enrootReference, imageReference, isRemote } from "./image-reference.ts";
import { plainWords } from "./plain-words.ts";
import { pulledImage, pullFile, pullWords } from "./pull-image.ts";
import type { PodRuntimeOptions } from "./runtime-options.ts";

/**
 * Containers by enroot. An image is imported once into a squashfs file under a lock, and a root file system of its own is
 * made of it for each pod; containers of one pod with the same image share that. `uid` is the pod's.
 */
export function enrootRuntime(options: PodRuntimeOptions, uid: string): BatchRuntime {
  const { command, imagePrefix, imageCache, bash } = options;
  const reference = ({ container }: BatchContainerSpec) =>
    imageReference(container.image ?? "", imagePrefix);
  const file = (image: string): BatchWord =>
    isRemote(image) ? [{ podPath: pulledImage(image, "sqsh") }] : [image];

  return {
    // enroot takes variables of these names from its own environment.
    exportPrefix: "",
    files: (spec) => (isRemote(reference(spec)) ? [pullFile(spec)] : []),
    prepare(spec) {
      const image = reference(spec);
      const create = [
        ...plainWords([...command, "create", "--force", "--name", enrootName(uid, image)]),
        file(image),
      ];
      if (!isRemote(image)) return [create];
      const pull = enrootPull(command);
      const pulling = pullWords({
        spec,
        reference: image,
        extension: "sqsh",
        cache: imageCache,
        isThere: options.pullsBefore,
        bash,
        command: pull,
        image: enrootReference(image),
      });
      return [pulling, create];
    },
    run(spec) {
      const launcher = spec.kind === "regular" ? options.launcher : [];
      return [
        ...plainWords(launcher),
        ...start(spec, options, enrootName(uid, reference(spec))),
        ...plainWords([...(spec.command ?? []), ...(spec.args ?? [])]),
      ];
    },
    exec: (spec, inside) => [
      ...start(spec, options, enrootName(uid, reference(spec))),
      ...plainWords(inside),
    ],
  };
}

/** What pulls, before a file and an image. */
export function enrootPull(command: readonly string[]): string[] {
  return [...command, "import", "--output"];
}

function start(spec: BatchContainerSpec, options: PodRuntimeOptions, name: string): BatchWord[] {
  const mounts = [...spec.mounts, ...(spec.terminationMessage ? [spec.terminationMessage] : [])];
  return [
    ...plainWords([...options.command, "start", ...options.defaultOptions]),
    ...spec.env.flatMap((variable) => plainWords(["--env", variable.name])),
    ...mounts.flatMap(fstabWords),
    ...plainWords(options.podOptions),
    [name],
  ];
}

/** Of a root file system, for this pod and image alone. */
export function enrootName(uid: string, image: string): string {
  const hash = createHash("sha256").update(image).digest("hex");
  return `${enrootPodName(uid)}-${hash.slice(0, 12)}`;
}

/** What the names of all root file systems of a pod begin with. */
export function enrootPodName(uid: string): string {
  return `interlink-${uid}`;
}
