import { RuntimeError } from "@interlink/plugin-sdk";
import type { EngineClient } from "../engine/engine-client.ts";

/** Which profiles the engine's machine enforces, asked once. */
export class ProfileSupport {
  readonly #engine: EngineClient;
  #known: string[] | undefined;

  constructor(engine: EngineClient) {
    this.#engine = engine;
  }

  /** Throws `RuntimeError` `InvalidConfig` in the kubelet's words (`pkg/security/apparmor`) for one that it does not. */
  async check(wanted: readonly ("AppArmor" | "seccomp")[], signal: AbortSignal): Promise<void> {
    if (wanted.length === 0) return;
    const path = "/info";
    this.#known ??= (
      await this.#engine.json<{ SecurityOptions?: string[] | null }>({
        method: "GET",
        path,
        signal,
      })
    ).SecurityOptions?.map((option) => option.split(",")[0] ?? "");
    for (const one of wanted) {
      if (this.#known?.includes(`name=${one.toLowerCase()}`)) continue;
      throw new RuntimeError(
        "InvalidConfig",
        `Cannot enforce ${one}: ${one} is not enabled on the host`,
      );
    }
  }
}
