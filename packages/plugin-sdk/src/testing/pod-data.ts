import type { RetrievedPodData } from "@interlink/protocol";
import type { Pod, PodSpec } from "kubernetes-types/core/v1.js";

/** A pod as it arrives at a plugin; one container `main` unless `spec` says otherwise. */
export function podData(
  uid: string,
  spec: Partial<PodSpec> = {},
  rest: Partial<Omit<RetrievedPodData, "pod">> = {},
): RetrievedPodData {
  const pod: Pod = {
    metadata: { uid, name: `pod-${uid.slice(0, 8)}`, namespace: "default" },
    spec: { containers: [{ name: "main", image: "busybox" }], ...spec },
  };
  const names = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
  return {
    pod,
    container: names.map(({ name }) => ({
      name,
      configMaps: [],
      projectedvolumemaps: [],
      secrets: [],
      emptyDirs: [],
    })),
    jobConfig: EMPTY_JOB_CONFIG,
    ...rest,
  };
}

/** Not from protocol: this file also runs compiled, where no other package has been built. */
const EMPTY_JOB_CONFIG: RetrievedPodData["jobConfig"] = {
  SingularityHubProxy: { server: "", master_token: "", cache_validity_seconds: 0 },
  ApptainerOptions: {
    executable: "",
    fakeroot: false,
    containall: false,
    fuseMode: "",
    noInit: false,
    noHome: false,
    noPrivs: false,
    nvidiaSupport: false,
    cleanenv: false,
    unsquash: false,
  },
  Volumes: {
    scratch_area: "",
    apptainer_cachedir: "",
    image_dir: "",
    additional_directories_in_path: [],
    fuse_sleep_seconds: 0,
  },
};
