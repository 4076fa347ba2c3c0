import type { PodSpec, ServiceAccount } from "kubernetes-types/core/v1.js";
import { forbidden } from "../api/api-error.ts";
import { as, clone, type KubeObject } from "../api/object.ts";
import type { AdmissionContext } from "../resources/definition.ts";
import type { Writable } from "./defaults.ts";

const tokenPath = "/var/run/secrets/kubernetes.io/serviceaccount";
/** An hour and a little: the admission plugin's own number, by which such tokens can be told. */
const tokenSeconds = 3607;
const podName = { group: "", plural: "pods", kind: "Pod" };

/**
 * The ServiceAccount admission plugin: the account must exist, its pull secrets are copied, and the token, the
 * cluster's CA and the namespace are mounted into every container that has nothing there.
 */
export function admitServiceAccount(object: KubeObject, context: AdmissionContext): void {
  const { spec, metadata } = as<{ spec: Writable<PodSpec>; metadata: KubeObject["metadata"] }>(
    object,
  );
  if (metadata.annotations?.["kubernetes.io/config.mirror"] !== undefined) return;
  spec.serviceAccountName ||= "default";
  spec.serviceAccount = spec.serviceAccountName;
  const { namespace = "", name = "" } = metadata;
  const found = context.find("serviceaccounts", namespace, spec.serviceAccountName);
  if (!found) {
    throw forbidden(
      podName,
      name,
      `error looking up service account ${namespace}/${spec.serviceAccountName}: serviceaccount "${spec.serviceAccountName}" not found`,
    );
  }
  const account = as<ServiceAccount>(found);
  if ((spec.imagePullSecrets ?? []).length === 0 && account.imagePullSecrets?.length) {
    spec.imagePullSecrets = clone(
      account.imagePullSecrets,
    ) as Writable<PodSpec>["imagePullSecrets"] & object;
  }
  const automount =
    spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true;
  if (automount) mountToken(spec, context.suffix());
}

function mountToken(spec: Writable<PodSpec>, suffix: string): void {
  const existing = (spec.volumes ?? []).find((volume) =>
    volume.name.startsWith("kube-api-access-"),
  );
  const name = existing?.name ?? `kube-api-access-${suffix}`;
  let mounted = false;
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])]) {
    if ((container.volumeMounts ?? []).some((mount) => mount.mountPath === tokenPath)) continue;
    container.volumeMounts = [
      ...(container.volumeMounts ?? []),
      { name, readOnly: true, mountPath: tokenPath },
    ];
    mounted = true;
  }
  if (!mounted || existing) return;
  const volume = {
    name,
    projected: {
      defaultMode: 0o644,
      sources: [
        { serviceAccountToken: { expirationSeconds: tokenSeconds, path: "token" } },
        { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
        {
          downwardAPI: {
            items: [
              {
                path: "namespace",
                fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" },
              },
            ],
          },
        },
      ],
    },
  };
  spec.volumes = [...(spec.volumes ?? []), volume];
}
