import type { Attributes } from "@opentelemetry/api";

/** `opts.…` of a log request. */
export function logAttributes(message: unknown): Attributes {
  if (typeof message !== "object" || message === null || !("Opts" in message)) return {};
  const { Opts: options } = message as { Opts: Record<string, string | number | boolean> };
  const names = {
    limitbytes: "Bytes",
    since: "SinceSeconds",
    sincetime: "SinceTime",
    tail: "Tail",
    follow: "Follow",
    previous: "Previous",
    timestamps: "Timestamps",
  };
  return Object.fromEntries(
    Object.entries(names).map(([name, field]) => [`opts.${name}`, options[field]]),
  );
}
