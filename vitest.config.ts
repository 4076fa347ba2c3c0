import { defineConfig } from "vitest/config";

// Two kinds of test: `unit` needs nothing but Node; `e2e` runs the built programs as processes, against the
// embedded cluster and, where they can be had, real systems (e2e/README.md).
const resolve = { conditions: ["source", "node", "import", "default"] };

export default defineConfig({
  test: {
    reporters: ["default", "./scripts/totals-reporter.ts", "./scripts/conformance-reporter.ts"],
    projects: [
      {
        resolve,
        ssr: { resolve },
        test: {
          name: "unit",
          include: [
            "packages/*/src/**/*.test.ts",
            "plugins/*/src/**/*.test.ts",
            "bench/src/**/*.test.ts",
          ],
          setupFiles: ["scripts/property-seed.ts"],
          testTimeout: 20_000,
          restoreMocks: true,
        },
      },
      {
        resolve,
        ssr: { resolve },
        test: {
          name: "e2e",
          include: ["e2e/src/**/*.test.ts"],
          globalSetup: ["e2e/src/global-setup.ts"],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
