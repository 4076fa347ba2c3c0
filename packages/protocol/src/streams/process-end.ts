import { Type } from "typebox";
import { parseJson } from "../read/json.ts";
import { readerOf } from "../read/validate.ts";
import type { ProcessEnd } from "./messages.ts";

/** The part of a metav1.Status that the error channel uses. */
interface Status {
  status: string;
  message?: string;
  reason?: string;
  details?: { causes?: { reason?: string; message?: string }[] };
}

const text = Type.Optional(Type.String());
const readStatus = readerOf<Status>(
  Type.Object({
    status: Type.Union([Type.Literal("Success"), Type.Literal("Failure")]),
    message: text,
    reason: text,
    details: Type.Optional(
      Type.Object({
        causes: Type.Optional(
          Type.Array(Type.Object({ reason: text, message: text }), { maxItems: 100 }),
        ),
      }),
    ),
  }),
  "end of the process",
);

/** How a process ended, as a kubelet tells it on the error channel (kubelet-contract 6.4). */
export function writeProcessEnd(end: ProcessEnd): string {
  if ("error" in end) {
    return JSON.stringify({
      metadata: {},
      status: "Failure",
      message: end.error,
      reason: "InternalError",
      details: { causes: [{ message: end.error }] },
      code: 500,
    });
  }
  if (end.exitCode === 0) return JSON.stringify({ metadata: {}, status: "Success" });
  return JSON.stringify({
    metadata: {},
    status: "Failure",
    message: `command terminated with non-zero exit code: exit status ${end.exitCode}`,
    reason: "NonZeroExitCode",
    details: { causes: [{ reason: "ExitCode", message: String(end.exitCode) }] },
  });
}

/** Throws ProtocolError `malformed` or `invalid`. */
export function readProcessEnd(message: Buffer): ProcessEnd {
  const { status, message: words, reason, details } = readStatus(parseJson(message));
  if (status === "Success") return { exitCode: 0 };
  if (reason === "NonZeroExitCode") {
    const cause = details?.causes?.find((one) => one.reason === "ExitCode");
    const exitCode = Number(cause?.message);
    if (cause?.message !== undefined && Number.isInteger(exitCode)) return { exitCode };
  }
  return { error: words ?? "the process failed, and nobody said how" };
}
