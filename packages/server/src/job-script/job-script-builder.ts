import { type JobConfig, ProtocolError, type RetrievedPodData } from "@interlink/protocol";

/** Makes the job script of a pod that names a builder (`jobscriptURL`), or of every pod (a local template). */
export interface JobScriptBuilder {
  /**
   * Throws ProtocolError with the builder's own words. `url` is `""` when the pod names none; `undefined`: this pod gets no
   * script.
   */
  build(
    data: RetrievedPodData,
    url: string,
    signal: AbortSignal,
  ): Promise<{ jobConfig: JobConfig; jobScript: string } | undefined>;
}

/** The data with its script, when one is asked for. A builder that is asked for and not there is a refusal. */
export async function withJobScript(
  data: RetrievedPodData,
  url: string,
  builder: JobScriptBuilder | undefined,
  signal: AbortSignal,
): Promise<RetrievedPodData> {
  if (builder !== undefined) return { ...data, ...(await builder.build(data, url, signal)) };
  if (url === "") return data;
  throw new ProtocolError(
    "unsupported",
    "this API server builds no job scripts; leave jobscriptURL (the virtual node's JobScriptBuilderURL) empty",
  );
}
