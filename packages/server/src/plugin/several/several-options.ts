import type { InterlinkClientOptions } from "@interlink/protocol";

/** Several plugins behind one server. */
export interface SeveralPluginsOptions {
  plugins: Readonly<
    Record<
      string,
      Omit<InterlinkClientOptions, "peer"> & {
        /** Virtual nodes whose pods go to it. */ nodes?: readonly string[];
      }
    >
  >;
  /** Has the pods that nothing else places. Default: the only plugin, if there is only one. */
  defaultPlugin?: string;
  /** File that remembers which plugin has which pod. */
  placements: string;
}
