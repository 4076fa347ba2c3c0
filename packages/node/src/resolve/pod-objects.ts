import { allContainers } from "@interlink/protocol";
import type { ConfigMap, Pod, Secret, Service } from "kubernetes-types/core/v1.js";

/** What a pod's env, volumes and imagePullSecrets name, fetched. An object that is not in its map does not exist. */
export interface PodObjects {
  configMaps: ReadonlyMap<string, ConfigMap>;
  secrets: ReadonlyMap<string, Secret>;
  /** Of the pod's namespace, and `kubernetes` of namespace default. */
  services: readonly Service[];
  /** Tokens of projected volumes, by {@link tokenKey}; one that could not be had carries the reason. */
  tokens: ReadonlyMap<string, { token: string } | { error: string }>;
}

/** A service account token as a projected volume asks for it. */
export interface TokenWish {
  key: string;
  audience: string | undefined;
  /** Seconds; the API server may grant another time. */
  expirationSeconds: number;
}

export interface PodReferences {
  configMaps: string[];
  secrets: string[];
  tokens: TokenWish[];
}

const DEFAULT_TOKEN_SECONDS = 3600;

export function tokenKey(volume: string, sourceIndex: number): string {
  return `${volume}/${sourceIndex}`;
}

/** The objects that a pod's env, volumes and imagePullSecrets name, each once. */
export function podReferences(pod: Pod): PodReferences {
  const configMaps = new Set<string | undefined>();
  const secrets = new Set<string | undefined>();
  const tokens: TokenWish[] = [];
  for (const container of allContainers(pod)) {
    for (const { configMapRef, secretRef } of container.envFrom ?? []) {
      configMaps.add(configMapRef?.name);
      secrets.add(secretRef?.name);
    }
    for (const { value, valueFrom } of container.env ?? []) {
      if (value) continue;
      configMaps.add(valueFrom?.configMapKeyRef?.name);
      secrets.add(valueFrom?.secretKeyRef?.name);
    }
  }
  for (const { name } of pod.spec?.imagePullSecrets ?? []) secrets.add(name);
  for (const volume of pod.spec?.volumes ?? []) {
    configMaps.add(volume.configMap?.name);
    secrets.add(volume.secret?.secretName);
    for (const [index, source] of (volume.projected?.sources ?? []).entries()) {
      configMaps.add(source.configMap?.name);
      secrets.add(source.secret?.name);
      if (!source.serviceAccountToken) continue;
      tokens.push({
        key: tokenKey(volume.name, index),
        audience: source.serviceAccountToken.audience,
        expirationSeconds: source.serviceAccountToken.expirationSeconds ?? DEFAULT_TOKEN_SECONDS,
      });
    }
  }
  return { configMaps: named(configMaps), secrets: named(secrets), tokens };
}

function named(names: ReadonlySet<string | undefined>): string[] {
  return [...names].filter((name) => name !== undefined && name !== "") as string[];
}
