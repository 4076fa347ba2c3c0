import { posix } from "node:path";
import { PluginError } from "@interlink/plugin-sdk";
import type { Container, Pod, Volume } from "kubernetes-types/core/v1.js";
import type { ClaimRule } from "../config/slurm-config.ts";

/** What a site lets pods mount from its file systems. */
export interface SiteVolumes {
  hostPaths: readonly string[];
  claims: readonly ClaimRule[];
}

/**
 * The directory of a volume that the site provides, on the compute node; `undefined` for kinds that are no business of
 * the site. Throws `PluginError` `rejected` for what it does not let the pod have.
 */
export function siteDirectory(
  volume: Volume,
  namespace: string,
  site: SiteVolumes,
): { path: string; readOnly: boolean } | undefined {
  if (volume.hostPath !== undefined) {
    const path = posix.normalize(volume.hostPath.path);
    if (path.startsWith("/") && site.hostPaths.some((root) => isBelow(path, root))) {
      return { path, readOnly: false };
    }
    throw new PluginError(
      "rejected",
      `The volume "${volume.name}" mounts ${path} of the host, which this site does not allow. ${
        site.hostPaths.length === 0
          ? "It allows no hostPath volumes."
          : `It allows what lies below ${site.hostPaths.join(", ")}.`
      }`,
    );
  }
  if (volume.persistentVolumeClaim === undefined) return undefined;
  const { claimName, readOnly = false } = volume.persistentVolumeClaim;
  const rule = site.claims.find(
    (one) => (one.namespace ?? namespace) === namespace && (one.claim ?? claimName) === claimName,
  );
  const isName = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;
  if (rule === undefined || !isName.test(claimName) || !isName.test(namespace)) {
    throw new PluginError(
      "rejected",
      `The volume "${volume.name}" is the claim ${claimName}, which this site does not provide. Ask it for a rule under Claims.`,
    );
  }
  const path = rule.directory.replaceAll("{namespace}", namespace).replaceAll("{claim}", claimName);
  return { path: posix.normalize(path), readOnly: readOnly || rule.readOnly === true };
}

function isBelow(path: string, root: string): boolean {
  const top = posix.normalize(root).replace(/\/$/, "");
  return path === top || path.startsWith(`${top}/`);
}

/** The pod with these volumes mounted for reading only. */
export function withReadOnlyMounts(pod: Pod, volumes: ReadonlySet<string>): Pod {
  if (volumes.size === 0 || pod.spec === undefined) return pod;
  const change = (container: Container): Container => ({
    ...container,
    ...(container.volumeMounts && {
      volumeMounts: container.volumeMounts.map((mount) =>
        volumes.has(mount.name) ? { ...mount, readOnly: true } : mount,
      ),
    }),
  });
  return mapContainers(pod, change);
}

/** The pod as a site without probes runs it. */
export function withoutProbes(pod: Pod): Pod {
  return mapContainers(
    pod,
    ({ livenessProbe: _l, readinessProbe: _r, startupProbe: _s, ...rest }) => rest,
  );
}

/**
 * The pod as a site runs it that does not export pod data: without the token that every pod gets. Throws `PluginError`
 * `rejected` for other volumes of pod data.
 */
export function withoutPodData(pod: Pod): Pod {
  const { volumes = [] } = pod.spec ?? {};
  const isToken = ({ name, projected }: Volume) =>
    projected !== undefined && name.startsWith("kube-api-access-");
  const data = volumes.find(
    (volume) =>
      !isToken(volume) &&
      volume.hostPath === undefined &&
      volume.persistentVolumeClaim === undefined,
  );
  if (data !== undefined) {
    throw new PluginError(
      "rejected",
      `The volume "${data.name}" holds data of the pod, which this site does not take to its compute nodes (ExportPodData). Leave it out, or ask the site.`,
    );
  }
  const dropped = new Set(volumes.filter(isToken).map(({ name }) => name));
  const { spec } = mapContainers(pod, (container) => ({
    ...container,
    ...(container.volumeMounts && {
      volumeMounts: container.volumeMounts.filter(({ name }) => !dropped.has(name)),
    }),
  }));
  return {
    ...pod,
    ...(spec && { spec: { ...spec, volumes: volumes.filter((one) => !dropped.has(one.name)) } }),
  };
}

function mapContainers(pod: Pod, change: (container: Container) => Container): Pod {
  if (pod.spec === undefined) return pod;
  const { initContainers, containers, ephemeralContainers } = pod.spec;
  return {
    ...pod,
    spec: {
      ...pod.spec,
      ...(initContainers && { initContainers: initContainers.map(change) }),
      containers: containers.map(change),
      ...(ephemeralContainers && {
        ephemeralContainers: ephemeralContainers.map((one) => ({ ...one, ...change(one) })),
      }),
    },
  };
}
