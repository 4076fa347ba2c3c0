/**
 * Why a runtime could not do a step, in a closed set that the supervisor decides on.
 *
 * - `Unavailable`: the engine does not answer. Nobody's fault; repeated soon, the container keeps its state.
 * - `InvalidConfig`: this container can never be made like this (waiting `CreateContainerConfigError`).
 * - `CreateFailed`: the engine refused to make it (waiting `CreateContainerError`).
 * - `StartFailed`: it was made but could not be started, e.g. the command does not exist. The attempt is over with
 *   `exitCode` (default 128) and restarts under the pod's restartPolicy (waiting `RunContainerError`).
 * - `NotRunning`: it has ended, so nothing can be run in it.
 */
export type RuntimeErrorCode =
  | "Unavailable"
  | "InvalidConfig"
  | "CreateFailed"
  | "StartFailed"
  | "NotRunning";

/** Thrown by a `ContainerRuntime`. The message reaches the pod's owner: the engine's own words, never a secret. */
export class RuntimeError extends Error {
  override readonly name = "RuntimeError";
  readonly code: RuntimeErrorCode;
  /** Only for `StartFailed`: 127 when the command was not found, 126 when it cannot be executed. */
  readonly exitCode: number | undefined;

  constructor(
    code: RuntimeErrorCode,
    message: string,
    options?: { cause?: unknown; exitCode?: number },
  ) {
    super(message, options);
    this.code = code;
    this.exitCode = options?.exitCode;
  }
}

/** The waiting reasons of images (Kubernetes `pkg/kubelet/images/types.go`). */
export type ImageErrorCode =
  | "ErrImagePull"
  | "ErrImageNeverPull"
  | "InvalidImageName"
  | "ImageInspectError"
  | "RegistryUnavailable"
  | "SignatureValidationFailed";

/** Thrown by `ContainerRuntime.ensureImage`; `code` becomes the waiting reason, the message the engine's own words. */
export class ImageError extends Error {
  override readonly name = "ImageError";
  readonly code: ImageErrorCode;

  constructor(code: ImageErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
