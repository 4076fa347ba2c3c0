import { fieldValue } from "@interlink/protocol";
import type {
  Container,
  ObjectFieldSelector,
  Pod,
  ResourceFieldSelector,
} from "kubernetes-types/core/v1.js";
import { PluginError } from "../plugin-error.ts";
import type { PodAddresses } from "./pod-addresses.ts";
import { ceilDivide, parseQuantity } from "./quantity.ts";

/** What a `fieldRef` stands for (kubelet-contract 4.1). Throws `PluginError` `rejected` for a path that does not exist. */
export function fieldRefValue(
  pod: Pod,
  { fieldPath }: ObjectFieldSelector,
  { podIPs, hostIP }: PodAddresses,
): string {
  const hostIPs = hostIP === "" ? [] : [hostIP];
  const addresses = { podIPs: podIPs.length > 0 ? podIPs : hostIPs, hostIPs };
  const value = fieldValue(pod, fieldPath, addresses);
  if (value === undefined) throw new PluginError("rejected", `unsupported fieldPath: ${fieldPath}`);
  return value;
}

/** What a `resourceFieldRef` stands for: rounded up to its divisor. A request that is not set is 0. */
export function resourceValue(
  pod: Pod,
  container: Container,
  { containerName, resource, divisor }: ResourceFieldSelector,
): string {
  const of =
    containerName === undefined || containerName === ""
      ? container
      : [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])].find(
          ({ name }) => name === containerName,
        );
  if (of === undefined) {
    throw new PluginError("rejected", `container ${containerName} not found`);
  }
  const [kind = "", ...rest] = resource.split(".");
  const name = rest.join(".");
  if ((kind !== "limits" && kind !== "requests") || name === "") {
    throw new PluginError("rejected", `unsupported container resource: ${resource}`);
  }
  const text = of.resources?.[kind]?.[name];
  if (text === undefined && kind === "limits") {
    throw new PluginError(
      "rejected",
      `The ${name} limit of container ${of.name} is asked for by an environment variable but not set. Set resources.limits.`,
    );
  }
  const amount = parseQuantity(text ?? "0");
  const unit = parseQuantity(divisor === undefined || divisor === "" ? "1" : divisor);
  if (amount === undefined || unit === undefined) {
    throw new PluginError(
      "rejected",
      `unable to parse quantity of ${resource}: ${text}/${divisor}`,
    );
  }
  return String(
    ceilDivide(amount, unit.numerator === 0n ? { numerator: 1n, denominator: 1n } : unit),
  );
}
