export type {
  KubeClient,
  KubeList,
  KubeObject,
  PatchType,
  RequestOptions,
  WatchEvent,
} from "./client.ts";
