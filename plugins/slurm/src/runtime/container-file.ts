import {
  type BatchContainerSpec,
  type BatchFile,
  batchContainerDirectory,
} from "@interlink/plugin-sdk";

/** Where a container's own file of this name is, relative to the pod's directory. */
export function containerPath({ container }: BatchContainerSpec, name: string): string {
  return `${batchContainerDirectory(container.name)}/${name}`;
}

/** A text at {@link containerPath}, for the job's user alone. */
export function containerFile(
  spec: BatchContainerSpec,
  name: string,
  text: string,
  mode: 0o600 | 0o700 = 0o600,
): BatchFile {
  return { path: containerPath(spec, name), mode, content: Buffer.from(text) };
}
