import { readFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import type { Container } from "kubernetes-types/core/v1.js";
import { expect, test } from "vitest";
import { BatchJob, batchPod } from "../testing/batch-job.ts";
import { hostileName, hostileText } from "../testing/hostile-text.ts";
import { batchScriptPath } from "./batch-script.ts";
import type { BatchRuntime } from "./contract.ts";
import { packBatchPod } from "./pack-batch-pod.ts";

/** Its containers write down, byte for byte, what they were started with, and what lies in the volume. */
const recording = (exportPrefix: string): BatchRuntime => ({
  exportPrefix,
  run: ({ args = [] }) => [
    ["/bin/bash"],
    ["-p"],
    ["-c"],
    [
      '/bin/cat "/proc/$$/cmdline" >"$0.argv"; /bin/cat "/proc/$$/environ" >"$0.environ"; /bin/cp -r "$1" "$0.volume"; :',
    ],
    [{ attemptPath: "seen" }],
    [{ podPath: "volumes/v" }],
    ...args.map((word) => [word]),
    // Text and paths of one word.
    ["--bind=", { podPath: "spec/$(id) 'x'" }, ":", args[0] ?? "", "\n"],
  ],
  exec: () => [["true"]],
});

const hostileContainer = fc.record({
  args: fc.array(hostileText, { minLength: 1, maxLength: 5 }),
  env: fc.uniqueArray(fc.record({ name: hostileName, value: hostileText }), {
    maxLength: 5,
    selector: ({ name }) => name,
  }),
});
const hostileFile = fc.record({
  name: hostileText
    .map((text) => Buffer.from(text.replaceAll("/", "")).subarray(0, 100).toString())
    .filter((text) => !text.startsWith("..") && text !== "." && text !== ""),
  content: hostileText,
});
const hostilePod = fc.record({
  containers: fc.array(hostileContainer, { minLength: 20, maxLength: 30 }),
  files: fc.uniqueArray(hostileFile, { maxLength: 5, selector: ({ name }) => name }),
});

// $(NAME) is expanded on the way, as Kubernetes does it; here every one leads nowhere or stands for itself.
const unexpanded = (text: string) => text.replaceAll("$", "$$$$");

async function runsAsData(
  { containers, files }: typeof hostilePod extends fc.Arbitrary<infer T> ? T : never,
  prefix: string,
  isPacked: boolean,
): Promise<void> {
  const pod = batchPod(
    {
      containers: containers.map(
        ({ args, env }, index): Container => ({
          name: `c${index}`,
          image: "x",
          args: args.map(unexpanded),
          env,
          volumeMounts: [{ name: "v", mountPath: "/v" }],
        }),
      ),
      volumes: [
        {
          name: "v",
          configMap: {
            name: "m",
            items: files.map(({ name }, index) => ({ key: `k${index}`, path: name })),
          },
        },
      ],
    },
    {
      runtime: recording(prefix),
      configMaps: [
        {
          metadata: { name: "m" },
          data: Object.fromEntries(files.map(({ content }, index) => [`k${index}`, content])),
        },
      ],
    },
  );
  const script = await readFile(batchScriptPath(), "utf8");
  await using job = await BatchJob.start(
    pod,
    isPacked ? { packed: packBatchPod(pod, { script, maxBytes: 4_000_000 }) } : {},
  );
  expect(await job.end()).toBe(0);
  expect(job.stderr).toBe("");
  for (const [index, { args, env }] of containers.entries()) {
    const seen = join(job.directory, "containers", `c${index}`, "0", "seen");
    const argv = (await readFile(`${seen}.argv`, "utf8")).split("\0").slice(6, -1);
    expect(argv.slice(0, -1)).toEqual(args);
    expect(argv.at(-1)).toMatch(/^--bind=\/.*\/spec\/\$\(id\) 'x':/);
    expect(argv.at(-1)?.endsWith(`/spec/$(id) 'x':${args[0]}\n`)).toBe(true);
    const environ = (await readFile(`${seen}.environ`, "utf8")).split("\0");
    for (const { name, value } of env) {
      const own = environ.filter((variable) => variable.startsWith(`${prefix}${name}=`));
      expect(own).toEqual([`${prefix}${name}=${value}`]);
    }
    for (const { name, content } of index === 0 ? files : []) {
      expect(await readFile(join(`${seen}.volume`, name), "utf8")).toBe(content);
    }
  }
}

test.each([
  { how: "a shared directory", prefix: "", isPacked: false, numRuns: 10 },
  { how: "a shared directory, for a runtime", prefix: "RUNTIME_", isPacked: false, numRuns: 5 },
  { how: "a packed script", prefix: "", isPacked: true, numRuns: 4 },
])(
  "no shell interprets anything of a pod: argv, environment and volumes arrive byte for byte by $how",
  async ({ prefix, isPacked, numRuns }) => {
    await fc.assert(
      fc.asyncProperty(hostilePod, (pod) => runsAsData(pod, prefix, isPacked)),
      { numRuns, endOnFailure: true },
    );
  },
  120_000,
);
