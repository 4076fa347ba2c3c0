import type { Reporter, TestModule } from "vitest/node";

/**
 * Prints why suites were skipped and, as the very last line, the totals in one plain form
 * (`Tests: N passed, N failed, N skipped`) that CI and people read the same way.
 */
export default class TotalsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const count = { passed: 0, failed: errors.length, skipped: 0 };
    const skipped = new Map<string, number>();
    for (const module of modules) {
      // A file that cannot even be loaded has no tests; it still failed.
      if (module.state() === "failed" && [...module.children.allTests()].length === 0)
        count.failed++;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === "passed" || state === "failed" || state === "skipped") count[state]++;
        if (state === "skipped") {
          skipped.set(module.relativeModuleId, (skipped.get(module.relativeModuleId) ?? 0) + 1);
        }
      }
    }
    // Vitest writes its own summary in the same hook; ours comes after it.
    process.once("exit", () => {
      for (const [file, number] of skipped) process.stdout.write(`Skipped: ${number} in ${file}\n`);
      process.stdout.write(
        `Tests: ${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped\n`,
      );
    });
  }
}
