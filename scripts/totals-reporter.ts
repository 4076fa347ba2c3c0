import type { Reporter, TestModule } from "vitest/node";

/**
 * Prints how many tests were skipped where, which tests passed only at a second attempt, and, as the very last line, the totals in one plain form
 * (`Tests: N passed, N failed, N skipped`) that CI and people read the same way.
 */
export default class TotalsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const count = { passed: 0, failed: errors.length, skipped: 0 };
    const skipped = new Map<string, number>();
    const flaky: string[] = [];
    for (const module of modules) {
      // A file that cannot even be loaded has no tests; it still failed.
      if (module.state() === "failed" && [...module.children.allTests()].length === 0)
        count.failed++;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === "passed" || state === "failed" || state === "skipped") count[state]++;
        if (test.diagnostic()?.flaky === true)
          flaky.push(`${module.relativeModuleId} > ${test.fullName}`);
        if (state === "skipped") {
          skipped.set(module.relativeModuleId, (skipped.get(module.relativeModuleId) ?? 0) + 1);
        }
      }
    }
    // Vitest writes its own summary in the same hook; ours comes after it.
    process.once("exit", () => {
      for (const [file, number] of skipped) process.stdout.write(`Skipped: ${number} in ${file}\n`);
      for (const name of flaky)
        process.stdout.write(`Flaky (passed at the second attempt only): ${name}\n`);
      process.stdout.write(
        `Tests: ${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped\n`,
      );
    });
  }
}
