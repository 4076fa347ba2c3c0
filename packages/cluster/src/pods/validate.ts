import type { Container, PodSpec, Volume, VolumeMount } from "kubernetes-types/core/v1.js";
import type { FieldErrors } from "../api/field-errors.ts";
import { parseQuantity, quantityNanos } from "../quantity/quantity.ts";
import { validateLabels } from "../validation/metadata.ts";
import { labelNameProblems, subdomainProblems } from "../validation/names.ts";

/**
 * The part of `ValidatePodSpec` that catches what people get wrong: names, duplicates, required fields, references
 * within the pod, numbers. Messages are the real server's.
 */
export function validatePodSpec(
  spec: PodSpec | undefined,
  path: string,
  errors: FieldErrors,
): void {
  if (!spec) {
    errors.required(`${path}.containers`);
    return;
  }
  const volumes = validateVolumes(spec.volumes ?? [], `${path}.volumes`, errors);
  if ((spec.containers ?? []).length === 0) errors.required(`${path}.containers`);
  const names = new Set<string>();
  for (const [index, container] of (spec.containers ?? []).entries()) {
    const at = `${path}.containers[${index}]`;
    validateContainer(container, at, volumes, names, errors);
    if (container.restartPolicy !== undefined) {
      errors.forbidden(`${at}.restartPolicy`, "may not be set for non-init containers");
    }
  }
  for (const [index, container] of (spec.initContainers ?? []).entries()) {
    const at = `${path}.initContainers[${index}]`;
    validateContainer(container, at, volumes, names, errors);
    validateInitContainer(container, at, errors);
  }
  validatePodFields(spec, path, errors);
}

function supported(
  path: string,
  value: string | undefined,
  allowed: readonly string[],
  errors: FieldErrors,
): void {
  if (value !== undefined && !allowed.includes(value)) errors.notSupported(path, value, allowed);
}

function validatePodFields(spec: PodSpec, path: string, errors: FieldErrors): void {
  supported(`${path}.restartPolicy`, spec.restartPolicy, ["Always", "OnFailure", "Never"], errors);
  supported(
    `${path}.dnsPolicy`,
    spec.dnsPolicy,
    ["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"],
    errors,
  );
  if (spec.activeDeadlineSeconds !== undefined && !(spec.activeDeadlineSeconds >= 1)) {
    errors.invalid(
      `${path}.activeDeadlineSeconds`,
      spec.activeDeadlineSeconds,
      "must be between 1 and 2147483647, inclusive",
    );
  }
  validateLabels(spec.nodeSelector, `${path}.nodeSelector`, errors);
  for (const [field, value, problems] of [
    ["nodeName", spec.nodeName, subdomainProblems],
    ["serviceAccountName", spec.serviceAccountName, subdomainProblems],
    ["hostname", spec.hostname, labelNameProblems],
    ["subdomain", spec.subdomain, labelNameProblems],
  ] as const) {
    if (!value) continue;
    for (const problem of problems(value)) errors.invalid(`${path}.${field}`, value, problem);
  }
  for (const [index, toleration] of (spec.tolerations ?? []).entries()) {
    const at = `${path}.tolerations[${index}]`;
    supported(`${at}.operator`, toleration.operator, ["Equal", "Exists"], errors);
    supported(
      `${at}.effect`,
      toleration.effect || undefined,
      ["NoSchedule", "PreferNoSchedule", "NoExecute"],
      errors,
    );
    if (!toleration.key && toleration.operator !== "Exists") {
      errors.invalid(
        `${at}.operator`,
        toleration.operator ?? "",
        'operator must be Exists when `key` is empty, which means "match all values and all keys"',
      );
    }
    if (toleration.operator === "Exists" && toleration.value) {
      errors.invalid(
        `${at}.operator`,
        toleration,
        "value must be empty when `operator` is 'Exists'",
      );
    }
  }
}

const volumeKinds = 31;

function validateVolumes(
  volumes: readonly Volume[],
  path: string,
  errors: FieldErrors,
): Set<string> {
  const names = new Set<string>();
  for (const [index, volume] of volumes.entries()) {
    const at = `${path}[${index}]`;
    if (!volume.name) errors.required(`${at}.name`);
    else {
      for (const problem of labelNameProblems(volume.name)) {
        errors.invalid(`${at}.name`, volume.name, problem);
      }
      if (names.has(volume.name)) errors.duplicate(`${at}.name`, volume.name);
      names.add(volume.name);
    }
    const sources = Object.keys(volume).filter((key) => key !== "name");
    for (const extra of sources.slice(1, volumeKinds)) {
      errors.forbidden(`${at}.${extra}`, "may not specify more than 1 volume type");
    }
    if (volume.secret && !volume.secret.secretName) errors.required(`${at}.secret.secretName`);
    if (volume.configMap && !volume.configMap.name) errors.required(`${at}.configMap.name`);
    if (volume.hostPath && !volume.hostPath.path) errors.required(`${at}.hostPath.path`);
    if (volume.persistentVolumeClaim && !volume.persistentVolumeClaim.claimName) {
      errors.required(`${at}.persistentVolumeClaim.claimName`);
    }
  }
  return names;
}

function validateContainer(
  container: Container,
  path: string,
  volumes: ReadonlySet<string>,
  names: Set<string>,
  errors: FieldErrors,
): void {
  if (!container.name) errors.required(`${path}.name`);
  else {
    for (const problem of labelNameProblems(container.name)) {
      errors.invalid(`${path}.name`, container.name, problem);
    }
    if (names.has(container.name)) errors.duplicate(`${path}.name`, container.name);
    names.add(container.name);
  }
  const image = container.image ?? "";
  if (image === "") errors.required(`${path}.image`);
  else if (image.trim() !== image) {
    errors.invalid(`${path}.image`, image, "must not have leading or trailing whitespace");
  }
  supported(
    `${path}.imagePullPolicy`,
    container.imagePullPolicy,
    ["Always", "IfNotPresent", "Never"],
    errors,
  );
  supported(
    `${path}.terminationMessagePolicy`,
    container.terminationMessagePolicy,
    ["File", "FallbackToLogsOnError"],
    errors,
  );
  validateEnvironment(container, path, errors);
  validatePorts(container, path, errors);
  validateMounts(container.volumeMounts ?? [], `${path}.volumeMounts`, volumes, errors);
  validateResources(container, `${path}.resources`, errors);
}

function validateInitContainer(container: Container, path: string, errors: FieldErrors): void {
  const sidecar = container.restartPolicy === "Always";
  supported(`${path}.restartPolicy`, container.restartPolicy, ["Always"], errors);
  if (sidecar) return;
  for (const field of ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] as const) {
    if (container[field]) {
      errors.forbidden(
        `${path}.${field}`,
        "may not be set for init containers without restartPolicy=Always",
      );
    }
  }
}

function validateEnvironment(container: Container, path: string, errors: FieldErrors): void {
  for (const [index, variable] of (container.env ?? []).entries()) {
    const at = `${path}.env[${index}]`;
    if (!variable.name) errors.required(`${at}.name`);
    else if (!/^[ -<>-~]+$/.test(variable.name)) {
      errors.invalid(
        `${at}.name`,
        variable.name,
        "a valid environment variable name must consist only of printable ASCII characters other than '='",
      );
    }
    if (!variable.valueFrom) continue;
    const sources = Object.keys(variable.valueFrom);
    if (sources.length === 0) {
      errors.invalid(
        `${at}.valueFrom`,
        "",
        "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`",
      );
    } else if (variable.value) {
      errors.invalid(`${at}.valueFrom`, "", "may not be specified when `value` is not empty");
    } else if (sources.length > 1) {
      errors.invalid(`${at}.valueFrom`, "", "may not have more than one field specified at a time");
    }
    for (const field of ["configMapKeyRef", "secretKeyRef"] as const) {
      const reference = variable.valueFrom[field];
      if (!reference) continue;
      if (!reference.name) errors.required(`${at}.valueFrom.${field}.name`);
      if (!reference.key) errors.required(`${at}.valueFrom.${field}.key`);
    }
  }
}

function validatePorts(container: Container, path: string, errors: FieldErrors): void {
  const names = new Set<string>();
  for (const [index, port] of (container.ports ?? []).entries()) {
    const at = `${path}.ports[${index}]`;
    if (port.containerPort === undefined) errors.required(`${at}.containerPort`);
    for (const field of ["containerPort", "hostPort"] as const) {
      const value = port[field];
      if (value !== undefined && !(value >= 1 && value <= 65535)) {
        errors.invalid(`${at}.${field}`, value, "must be between 1 and 65535, inclusive");
      }
    }
    supported(`${at}.protocol`, port.protocol, ["TCP", "UDP", "SCTP"], errors);
    if (port.name) {
      if (names.has(port.name)) errors.duplicate(`${at}.name`, port.name);
      names.add(port.name);
    }
  }
}

function validateMounts(
  mounts: readonly VolumeMount[],
  path: string,
  volumes: ReadonlySet<string>,
  errors: FieldErrors,
): void {
  const paths = new Set<string>();
  for (const [index, mount] of mounts.entries()) {
    const at = `${path}[${index}]`;
    if (!mount.name) errors.required(`${at}.name`);
    else if (!volumes.has(mount.name)) errors.notFound(`${at}.name`, mount.name);
    if (!mount.mountPath) errors.required(`${at}.mountPath`);
    else if (paths.has(mount.mountPath)) {
      errors.invalid(`${at}.mountPath`, mount.mountPath, "must be unique");
    }
    paths.add(mount.mountPath);
    const subPath = mount.subPath ?? "";
    if (subPath.startsWith("/"))
      errors.invalid(`${at}.subPath`, subPath, "must be a relative path");
    else if (subPath.split("/").includes("..")) {
      errors.invalid(`${at}.subPath`, subPath, "must not contain '..'");
    }
  }
}

function validateResources(container: Container, path: string, errors: FieldErrors): void {
  const { limits = {}, requests = {} } = container.resources ?? {};
  for (const [field, amounts] of [
    ["limits", limits],
    ["requests", requests],
  ] as const) {
    for (const [name, amount] of Object.entries(amounts)) {
      if ((parseQuantity(amount)?.nanos ?? 0n) < 0n) {
        errors.invalid(`${path}.${field}[${name}]`, amount, "must be greater than or equal to 0");
      }
    }
  }
  for (const [name, amount] of Object.entries(requests)) {
    const limit = limits[name];
    if (limit !== undefined && quantityNanos(amount) > quantityNanos(limit)) {
      errors.invalid(
        `${path}.requests`,
        amount,
        `must be less than or equal to ${name} limit of ${limit}`,
      );
    }
  }
}
