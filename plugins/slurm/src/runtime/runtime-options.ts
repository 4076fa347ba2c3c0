/** What a runtime is made of for one pod. */
export interface PodRuntimeOptions {
  /** Program and words before it. */
  command: readonly string[];
  defaultOptions: readonly string[];
  /** From the pod's annotations, as words. */
  podOptions: readonly string[];
  /** Before image names that have neither a scheme nor an absolute path. */
  imagePrefix: string;
  /** Absolute directory of pulled images; `undefined`: below the job user's home. */
  imageCache?: string;
  /** Images are pulled where the plugin runs, before the job begins. */
  pullsBefore: boolean;
  bash: string;
  /** Absolute path of libtsocks on the compute nodes, for the connections of containers. */
  tunnelLibrary?: string;
  /** Words before each container's command line: a launcher of MPI. */
  launcher: readonly string[];
  /** The pod gets GPUs of these makers though its containers state none. */
  gpus: "nvidia" | "amd" | "none";
}
