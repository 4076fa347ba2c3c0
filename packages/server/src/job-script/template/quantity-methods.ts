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
  Value: { type: INT, call: (value) => roundedUp(String(value), 0) },
  MilliValue: { type: INT, call: (value) => roundedUp(String(value), 3) },
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

const DECIMAL = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
const BINARY = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

/** A quantity times 10 to the `scale`, rounded away from zero, as `Value` and `MilliValue` do; text that is none is 0. */
function roundedUp(text: string, scale: number): number {
  const [, sign, whole = "", fraction = "", suffix = ""] =
    /^([+-]?)(\d*)(?:\.(\d*))?([eE][+-]?\d+|[A-Za-z]{0,2})$/.exec(text) ?? [];
  const decimal = DECIMAL.indexOf(suffix);
  const binary = BINARY.indexOf(suffix);
  const isExponent = /^[eE][+-]?\d+$/.test(suffix);
  if (sign === undefined || (decimal < 0 && binary < 0 && !isExponent)) return 0;
  const power = isExponent ? Number(suffix.slice(1)) : decimal < 0 ? 0 : 3 * (decimal - 3);
  const tens = power + scale - fraction.length;
  if (Math.abs(tens) > 60) return 0;
  let value = BigInt(`${whole}${fraction}` || "0") * 1024n ** BigInt(binary + 1);
  if (tens >= 0) value *= 10n ** BigInt(tens);
  else {
    const divisor = 10n ** BigInt(-tens);
    value = (value + divisor - 1n) / divisor;
  }
  return Number(sign === "-" ? -value : value);
}
