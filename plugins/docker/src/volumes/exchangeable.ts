import type { Container, Pod } from "kubernetes-types/core/v1.js";

/**
 * Whether another container could write to a volume while this one is being made, and so exchange a part of it that
 * has just been checked. A volume that outlives the pod may always be mounted by other pods.
 */
export function mayBeExchanged({ spec }: Pod, containerName: string, volume: string): boolean {
  const { initContainers = [], containers = [], ephemeralContainers = [] } = spec ?? {};
  const declared = spec?.volumes?.find(({ name }) => name === volume);
  if (declared?.emptyDir === undefined) return true;
  const runsAlone = (container: Container): boolean =>
    (container as { restartPolicy?: string }).restartPolicy !== "Always";
  const isInit = initContainers.some((one) => one.name === containerName && runsAlone(one));
  const others: Container[] = [
    // Other init containers have ended before anything else begins.
    ...initContainers.filter((one) => !runsAlone(one)),
    ...(isInit ? [] : containers),
    ...ephemeralContainers,
  ];
  return others.some(
    ({ name, volumeMounts = [] }) =>
      name !== containerName &&
      volumeMounts.some((mount) => mount.name === volume && mount.readOnly !== true),
  );
}
