export type { Provider, ProviderListener } from "./provider.ts";
export type {
  ContainerHandle,
  ContainerMount,
  ContainerRuntime,
  ContainerSpec,
  ImageRequest,
  ImageState,
  ObservedContainer,
  RuntimeCapacity,
  RuntimeLogOptions,
  SandboxSpec,
  SandboxState,
} from "./runtime/container-runtime.ts";
