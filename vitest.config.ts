import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { LongestFirst } from "./scripts/longest-first.ts";

// Two kinds of test: `unit` needs nothing but Node; `e2e` runs the built programs as processes, against the
// embedded cluster and, where they can be had, real systems (e2e/README.md).
//
// INTERLINK_RETRY=1 (CI) gives a failing test one more attempt. Nothing is hidden by it: the totals name every test
// that needed one (scripts/totals-reporter.ts), and each such line is a defect to mend.
const retry = process.env["INTERLINK_RETRY"] === "1" ? 1 : 0;
const maxWorkers = availableParallelism() + 1;
// A wait that succeeds costs nothing; one that is too short fails on a busy machine.
const poll = { interval: 20, timeout: 30_000 };
const resolve = { conditions: ["source", "node", "import", "default"] };

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    reporters: [
      "default",
      "./scripts/totals-reporter.ts",
      "./scripts/conformance-reporter.ts",
      "./scripts/temporary-files-reporter.ts",
    ],
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
            // Emulated peers over loopback: nothing is built or started.
            "e2e/src/interop/**/*.test.ts",
          ],
          setupFiles: ["scripts/property-seed.ts"],
          // Most of the time they wait, for processes and for clocks: more of them at once than there are processors.
          maxWorkers,
          // No module keeps a state, so files may share them: to load them anew was half of the whole work.
          isolate: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          expect: { poll },
          retry,
          restoreMocks: true,
        },
      },
      {
        resolve,
        ssr: { resolve },
        test: {
          name: "e2e",
          include: ["e2e/src/**/*.test.ts"],
          exclude: ["e2e/src/interop/**"],
          globalSetup: ["e2e/src/global-setup.ts"],
          // Each waits for its turn (e2e/src/turns): many may wait while a few run.
          maxWorkers: 8,
          setupFiles: ["e2e/src/turns/wait-for-turn.ts"],
          testTimeout: 240_000,
          retry,
          hookTimeout: 240_000,
          expect: { poll },
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
