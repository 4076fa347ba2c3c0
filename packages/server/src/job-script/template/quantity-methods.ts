import { quantityTimes } from "../../kubernetes/quantity.ts";
import { type GoType, INT, STRING } from "./go-types.ts";

interface Method {
  type: GoType;
  /** `value` is settled. */
  call(value: unknown): unknown;
}

const QUANTITY: GoType = { kind: "quantity" };

/** Of a list of resources; one that is missing is 0. */
const RESOURCES: Readonly<Record<string, string>> = {
  Cpu: "cpu",
  Memory: "memory",
  Storage: "storage",
  Pods: "pods",
  StorageEphemeral: "ephemeral-storage",
};

const METHODS: Readonly<Record<string, Method>> = {
  String: { type: STRING, call: String },
  Value: { type: INT, call: (value) => quantityTimes(String(value), 0) },
  MilliValue: { type: INT, call: (value) => quantityTimes(String(value), 3) },
};

/** What templates call on quantities and on lists of resources: `.Resources.Limits.Memory.Value`. */
export function quantityMethod(type: GoType, name: string): Method | undefined {
  if (type.kind === "quantity" && Object.hasOwn(METHODS, name)) return METHODS[name];
  if (type.kind === "map" && type.of.kind === "quantity" && Object.hasOwn(RESOURCES, name)) {
    const resource = RESOURCES[name] ?? "";
    return {
      type: QUANTITY,
      call: (value) => {
        const limits = value as Readonly<Record<string, unknown>>;
        return Object.hasOwn(limits, resource) ? limits[resource] : "0";
      },
    };
  }
  return undefined;
}
