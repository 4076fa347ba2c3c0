import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Seconds, where a file takes long, on two processors; all others take a few. What is wrong here only costs time. */
const SECONDS: Readonly<Record<string, number>> = {
  "e2e/src/scale.test.ts": 40,
  "e2e/src/conformance/conformance.test.ts": 370,
  "e2e/src/docker/many-pods.test.ts": 110,
  "e2e/src/docker/provider-contract.test.ts": 96,
  "e2e/src/docker/crash.test.ts": 61,
  "e2e/src/docker/by-hand.test.ts": 55,
  "e2e/src/docker/devices-crash.test.ts": 44,
  "e2e/src/docker/slow-pull.test.ts": 33,
  "e2e/src/faults.test.ts": 290,
  "e2e/src/node-lifecycle.test.ts": 157,
  "e2e/src/identity.test.ts": 137,
  "e2e/src/crash.test.ts": 103,
  "e2e/src/pod-lifecycle.test.ts": 84,
  "e2e/src/controllers.test.ts": 81,
  "e2e/src/slurm/controller.test.ts": 78,
  "e2e/src/volumes.test.ts": 60,
  "e2e/src/streams.test.ts": 50,
  "e2e/src/bad-plugin.test.ts": 46,
  "e2e/src/examples.test.ts": 30,
  "e2e/src/debug.test.ts": 28,
  "packages/plugin-sdk/src/batch/batch-crash.test.ts": 20,
  "plugins/process/src/crash.test.ts": 17,
  "plugins/process/src/contract.test.ts": 16,
  "plugins/slurm/src/provider/slurm-provider.test.ts": 16,
  "packages/plugin-sdk/src/testing/example-plugin.test.ts": 11,
  "packages/cluster/src/kubectl.test.ts": 10,
  "packages/plugin-sdk/src/batch/hostile.property.test.ts": 9,
  "packages/plugin-sdk/src/batch/lifecycle.property.test.ts": 9,
};
const OTHERS = { "docker/": 14, "slurm/": 14, "": 3 };

/** These run one after the other, so the others are to be beside them all the time. */
const CHAIN = /\be2e\/src\/(docker|conformance|debug|examples)\b/;
/** Runs while no other does: best when all others are over. */
const ALONE = "scale.test.ts";

/**
 * Test files that take long begin first. Those of the chain and the others are merged so that both last equally long:
 * only so many are handed out at a time, and among them there has to be one of each.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const chain: TestSpecification[] = [];
    const others: TestSpecification[] = [];
    const sorted = files.toSorted((one, other) => secondsOf(other) - secondsOf(one));
    for (const file of sorted) (CHAIN.test(file.moduleId) ? chain : others).push(file);
    const alone = others.filter(({ moduleId }) => moduleId.endsWith(ALONE));
    const shared = others.filter((file) => !alone.includes(file));
    return [...merge(chain, shared), ...alone];
  }
}

/** Each next one comes from that list whose files so far take less time. */
function merge(one: TestSpecification[], other: TestSpecification[]): TestSpecification[] {
  const lists = [
    { files: one, at: 0, seconds: 0 },
    { files: other, at: 0, seconds: 0 },
  ];
  const merged: TestSpecification[] = [];
  for (;;) {
    const left = lists.filter(({ files, at }) => at < files.length);
    const [next] = left.toSorted((a, b) => a.seconds - b.seconds);
    const file = next?.files[next.at];
    if (next === undefined || file === undefined) return merged;
    merged.push(file);
    next.at += 1;
    next.seconds += secondsOf(file);
  }
}

function secondsOf({ moduleId }: TestSpecification): number {
  const [, seconds] = Object.entries(SECONDS).find(([file]) => moduleId.endsWith(file)) ?? [];
  if (seconds !== undefined) return seconds;
  const [, usual = 3] = Object.entries(OTHERS).find(([part]) => moduleId.includes(part)) ?? [];
  return usual;
}
