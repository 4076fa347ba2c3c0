import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Reporter, TestModule } from "vitest/node";
import { conformancePage, type Finding, findingOf } from "../e2e/src/conformance/page.ts";
import { PLUGINS } from "../e2e/src/conformance/plugins.ts";

const PAGE = fileURLToPath(new URL("../docs/conformance.md", import.meta.url));

/**
 * Writes `docs/conformance.md` after a run of all the conformance tests with every plugin; a part of them, or a machine
 * without a real system, leaves the page as it is.
 */
export default class ConformanceReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const module = modules.find(({ relativeModuleId }) =>
      relativeModuleId.endsWith("conformance/conformance.test.ts"),
    );
    if (module === undefined) return;
    const findings: Finding[] = [];
    for (const test of module.children.allTests()) {
      const plugin = PLUGINS.find((name) => test.fullName.startsWith(`conformance of ${name}`));
      const finding = plugin && findingOf(plugin, test.name, test.result().state);
      if (finding === undefined) {
        process.stdout.write(`docs/conformance.md stays as it is: not run was ${test.fullName}\n`);
        return;
      }
      findings.push(finding);
    }
    // Tests that could not even be read found nothing.
    if (!PLUGINS.every((plugin) => findings.some((finding) => finding.plugin === plugin))) return;
    writeFileSync(PAGE, conformancePage(PLUGINS, findings));
  }
}
