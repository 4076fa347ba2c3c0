import { expect } from "vitest";
import {
  configMap,
  eventsOf,
  lastLine,
  outputOf,
  secret,
  valuesOf,
  waitingFor,
} from "./pod-helpers.ts";
import { SLURM_LIMITS } from "./slurm-limits.ts";
import type { Group } from "./suite.ts";

export const SAME_USER = {
  process: "The process plugin runs all containers as its own user.",
  slurm: SLURM_LIMITS.users,
};

/** Says of files whom they belong to and who may read them, and shows what is in them. */
export function show(...paths: string[]): string {
  return paths.map((path) => `echo "${path}=$(stat -Lc %a ${path}) $(cat ${path})"`).join("; ");
}

/** Behaviours 67 to 71 and 77: volumes of ConfigMaps and Secrets. */
export const volumes: Group = (behaviour) => {
  for (const [id, kind, note] of [
    [67, "configMap", SAME_USER],
    [71, "secret", SAME_USER],
  ] as const) {
    behaviour(id, { note }, async (site) => {
      const name = `files-of-${kind.toLowerCase()}`;
      const bytes = Buffer.from([0xde, 0xca, 0xfe, 0xba, 0xd0, 0xfe, 0xff, 0x0a]).toString(
        "base64",
      );
      const data = { "data-1": "value-1", "data-2": "value-2" };
      await site.apply(
        kind === "configMap"
          ? configMap(name, data, { binaryData: { bytes } })
          : secret(name, data, { data: { bytes } }),
      );
      const reference = kind === "configMap" ? { name } : { secretName: name };
      const otherUser = site.plugin === "docker" ? { runAsUser: 1000, runAsGroup: 1000 } : {};
      const values = await valuesOf(site, name, {
        command: `${show("/usual/data-1", "/narrow/data-2", "/mapped/path/to/data-2", "/mapped/own")}
          echo "bytes=$(base64 /usual/bytes)"; echo "mapped=$(ls /mapped | tr '\\n' ' ')"
          echo "owner=$(stat -Lc %g /narrow/data-2)"; (echo x > /usual/data-1) 2> /dev/null || echo "written=no"`,
        spec: {
          securityContext: { fsGroup: 1234, ...otherUser },
          volumes: [
            { name: "usual", [kind]: reference },
            { name: "narrow", [kind]: { ...reference, defaultMode: 0o440 } },
            {
              name: "mapped",
              [kind]: {
                ...reference,
                defaultMode: 0o444,
                items: [
                  { key: "data-2", path: "path/to/data-2" },
                  { key: "data-1", path: "own", mode: 0o440 },
                ],
              },
            },
          ],
        },
        container: {
          volumeMounts: ["usual", "narrow", "mapped"].map((volume) => ({
            name: volume,
            mountPath: `/${volume}`,
          })),
        },
      });
      expect(values).toEqual({
        "/usual/data-1": "644 value-1",
        "/narrow/data-2": "440 value-2",
        "/mapped/path/to/data-2": "444 value-2",
        "/mapped/own": "440 value-1",
        bytes,
        mapped: "own path ",
        owner: site.plugin === "slurm" ? expect.any(String) : "1234",
        written: "no",
      });
      await site.kubectl.run(["delete", kind.toLowerCase(), name]);
    });
  }

  behaviour(71, {}, async (site) => {
    const [here, there] = ["secret-here", "secret-there"] as const;
    await site.kubectl.run(["create", "namespace", there]);
    const elsewhere = { metadata: { name: here, namespace: there } };
    await site.apply(secret(here, { data: "not this one" }, elsewhere));
    await site.apply(secret(here, { data: "this one" }));
    const output = await outputOf(site, here, {
      command: "cat /one/data /two/data",
      spec: {
        volumes: ["one", "two"].map((name) => ({ name, secret: { secretName: here } })),
      },
      container: {
        volumeMounts: ["one", "two"].map((name) => ({ name, mountPath: `/${name}` })),
      },
    });
    expect(output).toBe("this onethis one");
    await site.kubectl.run(["delete", "secret", here]);
    await site.kubectl.run(["delete", "namespace", there, "--wait=false"]);
  });

  behaviour(68, {}, async (site) => {
    const name = "optional";
    await site.createPod(name, {
      command: `while :; do echo "$(cat /map/data 2> /dev/null || echo none) $(cat /secret/data 2> /dev/null || echo none)"; sleep 0.2; done`,
      spec: {
        volumes: [
          { name: "map", configMap: { name, optional: true } },
          { name: "secret", secret: { secretName: name, optional: true } },
        ],
      },
      container: {
        volumeMounts: [
          { name: "map", mountPath: "/map" },
          { name: "secret", mountPath: "/secret" },
        ],
      },
    });
    await site.podReady(name);
    await lastLine(site, name, "none none");
    await site.apply(configMap(name, { data: "came" }));
    await site.apply(secret(name, { data: "too" }));
    await lastLine(site, name, "came too");
    await site.apply(configMap(name, { data: "changed" }));
    await lastLine(site, name, "changed too");
    await site.kubectl.run(["delete", `configmap/${name}`, `secret/${name}`]);
    await lastLine(site, name, "none none");
    await site.delete(name);
  });

  behaviour(69, {}, async (site) => {
    const name = "changing";
    await site.apply(configMap(name, { data: "1", more: "1" }));
    await site.apply(secret(name, { data: "1" }));
    await site.createPod(name, {
      command: `while :; do echo "$(cat /map/data /map/new /secret/data /fixed 2> /dev/null | tr -d '\\n')"; sleep 0.2; done`,
      spec: {
        volumes: [
          { name: "map", configMap: { name } },
          { name: "secret", secret: { secretName: name } },
        ],
      },
      container: {
        volumeMounts: [
          { name: "map", mountPath: "/map" },
          { name: "secret", mountPath: "/secret" },
          // What is mounted by its sub-path never changes.
          { name: "map", mountPath: "/fixed", subPath: "more" },
        ],
      },
    });
    await site.podReady(name);
    await lastLine(site, name, "111");
    await site.apply(configMap(name, { data: "2", more: "2", new: "new" }));
    await site.apply(secret(name, { data: "3" }));
    await lastLine(site, name, "2new31");
    expect((await site.system.pod(name))?.status?.containerStatuses?.[0]?.restartCount).toBe(0);
    await site.delete(name);
    await site.kubectl.run(["delete", `configmap/${name}`, `secret/${name}`]);
  });

  behaviour(70, {}, async (site) => {
    const name = "immutable";
    await site.apply(configMap(name, { data: "for" }, { immutable: true }));
    await site.apply(secret(name, { data: "ever" }, { immutable: true }));
    const output = await outputOf(site, name, {
      command: "cat /map/data /secret/data",
      spec: {
        volumes: [
          { name: "map", configMap: { name } },
          { name: "secret", secret: { secretName: name } },
        ],
      },
      container: {
        volumeMounts: [
          { name: "map", mountPath: "/map" },
          { name: "secret", mountPath: "/secret" },
        ],
      },
    });
    expect(output).toBe("forever");
    const changed = JSON.stringify(configMap(name, { data: "not" }, { immutable: true }));
    const refused = await site.kubectl.try(["apply", "-f", "-"], { input: changed });
    expect(refused.stderr).toContain("immutable");
    await site.kubectl.run(["delete", `configmap/${name}`, `secret/${name}`]);
  });

  behaviour(77, {}, async (site) => {
    const name = "missing-object";
    await site.apply(configMap(name, { data: "x" }));
    const volume = (source: object) => ({
      spec: { volumes: [{ name: "files", ...source }] },
      container: { volumeMounts: [{ name: "files", mountPath: "/files" }] },
    });
    const items = [{ key: "no", path: "no" }];
    await Promise.all([
      site.createPod("missing-map", volume({ configMap: { name: "not-there" } })),
      site.createPod("missing-secret", volume({ secret: { secretName: "not-there" } })),
      site.createPod("missing-key", volume({ configMap: { name, items } })),
      site.createPod("missing-env", {
        container: { envFrom: [{ secretRef: { name: "not-there-yet" } }] },
        command: "echo $data",
      }),
    ]);
    const message = await waitingFor(site, "missing-env", "CreateContainerConfigError");
    expect(message).toBe('secret "not-there-yet" not found');
    for (const [pod, why] of [
      ["missing-map", 'configmap "not-there" not found'],
      ["missing-secret", 'secret "not-there" not found'],
      ["missing-key", "configmap references non-existent config key: no"],
    ] as const) {
      await waitingFor(site, pod, "ContainerCreating");
      const [event] = await eventsOf(site, pod, "FailedMount");
      expect(event).toBe(`MountVolume.SetUp failed for volume "files" : ${why}`);
      expect((await site.system.pod(pod))?.status?.phase).toBe("Pending");
    }
    await site.apply(secret("not-there-yet", { data: "came" }));
    await site.podInPhase("missing-env", "Succeeded");
    expect(await site.logs("missing-env")).toBe("came\n");
    await site.delete("missing-map", "missing-secret", "missing-key", "missing-env");
    await site.kubectl.run(["delete", `configmap/${name}`, "secret/not-there-yet"]);
  });
};
