import { readFileSync } from "node:fs";
import { emptyJobConfig, type RetrievedPodData } from "@interlink/protocol";
import { expect, test } from "vitest";
import { FUNCTION_NAMES } from "./function-names.ts";
import { FUNCTIONS } from "./functions.ts";
import { createJobScriptTemplate } from "./job-script-template.ts";

const page = readFileSync(new URL("../../../../../docs/job-scripts.md", import.meta.url), "utf8");

test("the template of docs/job-scripts.md makes the script that one expects", () => {
  const [, template = ""] = /^```\n(#!\/bin\/bash.*?)^```$/ms.exec(page) ?? [];
  const data: RetrievedPodData = {
    pod: {
      metadata: { name: "p", uid: "u-1", labels: { size: "long" } },
      spec: {
        containers: [
          {
            name: "c",
            image: "docker://busybox",
            command: ["sh", "-c"],
            args: ["echo it's; date"],
            resources: { limits: { cpu: "1500m", memory: "1Ki" } },
          },
        ],
      },
    },
    container: [],
    jobConfig: emptyJobConfig(),
  };
  expect(createJobScriptTemplate("page", template).script(data)).toBe(`#!/bin/bash
#SBATCH --job-name=u-1
#SBATCH --cpus-per-task=2 --mem=1024
#SBATCH --time=2-00:00

apptainer exec 'docker://busybox' 'sh' '-c' 'echo it'\\''s; date'

`);
});

test("every function is known to the parser and named in the page", () => {
  expect([...Object.keys(FUNCTIONS), "and", "or"].toSorted()).toEqual(FUNCTION_NAMES.toSorted());
  for (const name of FUNCTION_NAMES) expect(page).toContain(`\`${name}\``);
});
