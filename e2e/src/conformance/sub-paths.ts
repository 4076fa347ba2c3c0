import { expect } from "vitest";
import { lastLine, outputOf, STAY, waitingFor } from "./pod-helpers.ts";
import { SLURM_LIMITS } from "./slurm-limits.ts";
import type { Group } from "./suite.ts";

const VOLUMES = { volumes: [{ name: "work", emptyDir: {} }] };

/** Behaviours 56 to 60: subPathExpr. */
export const subPaths: Group = (behaviour) => {
  behaviour(56, {}, async (site) => {
    const output = await outputOf(site, "sub-path-expr", {
      command: "echo seen > /logs/test.log; cat /whole/sub-path-expr/logs/test.log",
      spec: VOLUMES,
      container: {
        env: [{ name: "POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }],
        volumeMounts: [
          { name: "work", mountPath: "/logs", subPathExpr: "$(POD_NAME)/logs" },
          { name: "work", mountPath: "/whole" },
        ],
      },
    });
    expect(output).toBe("seen\n");
  });

  for (const [id, name, value, message] of [
    [57, "sub-path-up", "..", "unable to provision SubPath `..`: must not contain '..'"],
    [58, "sub-path-absolute", "/tmp", "error SubPath `/tmp` must not be an absolute path"],
  ] as const) {
    behaviour(id, { notApplicable: { slurm: SLURM_LIMITS.batch } }, async (site) => {
      await site.createPod(name, {
        spec: VOLUMES,
        container: {
          env: [{ name: "WHERE", value }],
          volumeMounts: [{ name: "work", mountPath: "/work", subPathExpr: "$(WHERE)" }],
        },
      });
      expect(await waitingFor(site, name, "CreateContainerConfigError")).toBe(message);
      expect((await site.system.pod(name))?.status?.phase).toBe("Pending");
      await site.delete(name);
    });
  }

  // The conformance test of this name has no backticks in it; they are no shell's to run.
  behaviour(57, {}, async (site) => {
    const output = await outputOf(site, "sub-path-backticks", {
      command: "ls -1 /whole",
      spec: VOLUMES,
      container: {
        env: [{ name: "WHERE", value: "`hostname`" }],
        volumeMounts: [
          { name: "work", mountPath: "/work", subPathExpr: "$(WHERE)" },
          { name: "work", mountPath: "/whole" },
        ],
      },
    });
    expect(output).toBe("`hostname`\n");
  });

  behaviour(59, { notApplicable: { slurm: SLURM_LIMITS.batch } }, async (site) => {
    const name = "sub-path-recovers";
    await site.createPod(name, {
      command: `echo here > /work/file; ls /whole; ${STAY}`,
      spec: VOLUMES,
      container: {
        env: [
          {
            name: "WHERE",
            valueFrom: { fieldRef: { fieldPath: "metadata.annotations['where']" } },
          },
        ],
        volumeMounts: [
          { name: "work", mountPath: "/work", subPathExpr: "$(WHERE)" },
          { name: "work", mountPath: "/whole" },
        ],
      },
    });
    expect(await waitingFor(site, name, "CreateContainerConfigError")).toBe(
      "missing value for WHERE",
    );
    await site.kubectl.run(["annotate", "pod", name, "where=found"]);
    await site.podReady(name);
    await lastLine(site, name, "found");
    await site.delete(name);
  });

  // What was written through a sub-path is found by whoever has all of the volume, and the other way round, also after a restart.
  behaviour(60, {}, async (site) => {
    const name = "sub-path-written";
    await site.createPod(name, {
      command: `if [ -e /work/first ]; then cat /work/first /work/second; ${STAY}; fi
        echo one > /work/first; cat /whole/dir/first; echo two > /whole/dir/second; exit 1`,
      spec: { ...VOLUMES, restartPolicy: "OnFailure" },
      container: {
        env: [{ name: "WHERE", value: "dir" }],
        volumeMounts: [
          { name: "work", mountPath: "/work", subPathExpr: "$(WHERE)" },
          { name: "work", mountPath: "/whole" },
        ],
      },
    });
    await site.podWhen(name, "runs again", ({ status }) => {
      const [main] = status?.containerStatuses ?? [];
      return main?.state?.running !== undefined && main.restartCount === 1;
    });
    await lastLine(site, name, "two");
    expect(await site.logs(name)).toBe("one\ntwo\n");
    expect(await site.logs(name, "--previous")).toBe("one\n");
    await site.delete(name);
  });
};
