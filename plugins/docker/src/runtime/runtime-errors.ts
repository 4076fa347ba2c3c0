import { RuntimeError, type RuntimeErrorCode } from "@interlink/plugin-sdk";
import { isEngineError } from "../engine/engine-error.ts";

/**
 * Does a step at the engine, and says in the supervisor's terms why it failed: a silent engine is `Unavailable`;
 * anything that the engine answered gets `code`, in its own words.
 */
export async function engineStep<T>(code: RuntimeErrorCode, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    throw asRuntimeError(code, error);
  }
}

export function asRuntimeError(code: RuntimeErrorCode, error: unknown): unknown {
  if (!isEngineError(error)) return error;
  return new RuntimeError(error.code === "unreachable" ? "Unavailable" : code, error.message, {
    cause: error,
  });
}
