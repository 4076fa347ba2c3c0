export type { ProcessProviderOptions } from "./process-provider.ts";
export { createProcessProvider } from "./process-provider.ts";
