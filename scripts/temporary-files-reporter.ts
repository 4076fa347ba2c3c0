import { rmSync } from "node:fs";
import type { Reporter, Vitest } from "vitest/node";

/** Vitest removes its directories of transformed modules when a run ends, but not when one is interrupted: then this does. */
export default class TemporaryFilesReporter implements Reporter {
  onInit(vitest: Vitest): void {
    process.once("exit", () => {
      for (const { tmpDir } of [vitest.getRootProject(), ...vitest.projects]) {
        rmSync(tmpDir, { recursive: true, force: true, maxRetries: 10 });
      }
    });
  }
}
